#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "templates/template_source.h"

namespace sandbox {
namespace {

namespace files = std::filesystem;

// Top-level directories that hold programs: symlinks into /usr on merged distributions, trees of
// their own on others.
constexpr std::array kProgramDirectories{"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

struct EtcEntry {
  const char* path;  // Below /etc; what does not exist is passed over.
  const char* reason;
};

// Copied, not mounted: a fixed list, only what everybody may read anyway, nothing that says whose
// machine this is. Keys, users, hosts and mounts of the host are not in it.
constexpr std::array kEtcEntries{
    EtcEntry{"alternatives", "half of /usr/bin leads through it: cc, awk, java, vi"},
    EtcEntry{"bash.bashrc", "prompt and completion of interactive shells"},
    EtcEntry{"bash_completion.d", "the same"},
    EtcEntry{"ca-certificates", "where java and python look for trust settings"},
    EtcEntry{"fonts", "matplotlib and headless browsers render text"},
    EtcEntry{"inputrc", "readline keys"},
    EtcEntry{"ImageMagick-6", "convert refuses to run without its policy"},
    EtcEntry{"java-11-openjdk", "the JVM does not start without its configuration"},
    EtcEntry{"java-17-openjdk", "the same"},
    EtcEntry{"java-21-openjdk", "the same"},
    EtcEntry{"java-25-openjdk", "the same"},
    EtcEntry{"ld.so.cache", "libraries outside the default directories"},
    EtcEntry{"ld.so.conf", "the same, for ldconfig"},
    EtcEntry{"ld.so.conf.d", "the same"},
    EtcEntry{"localtime", "dates as the user expects them"},
    EtcEntry{"magic", "file(1)"},
    EtcEntry{"maven", "mvn reads its settings there"},
    EtcEntry{"mime.types", "python mimetypes, web servers"},
    EtcEntry{"perl", "perl's system modules"},
    EtcEntry{"pki", "certificates on Fedora and its kin"},
    EtcEntry{"profile.d", "login shells"},
    EtcEntry{"protocols", "getprotobyname(3)"},
    EtcEntry{"python3", "python's site configuration"},
    EtcEntry{"python3.11", "the same"},
    EtcEntry{"python3.12", "the same"},
    EtcEntry{"python3.13", "the same"},
    EtcEntry{"services", "getservbyname(3)"},
    EtcEntry{"ssl/certs", "TLS to anywhere"},
    EtcEntry{"ssl/openssl.cnf", "the same"},
    EtcEntry{"terminfo", "terminals that /usr does not know"},
    EtcEntry{"timezone", "dates as the user expects them"},
};

constexpr std::string_view kProfile =
    "# A login shell keeps the PATH it was started with.\n"
    "for script in /etc/profile.d/*.sh; do\n"
    "  [ -r \"$script\" ] && . \"$script\"\n"
    "done\n"
    "unset script\n";

// Certificates and alternatives are some hundred KiB. More is a mistake, not a configuration.
constexpr std::uintmax_t kLargestCopy = 64 << 20;

// One state of the machine's configuration: an entry added to or removed from a directory changes
// its time, and package managers replace files instead of writing into them.
void add_state(Fingerprint& fingerprint, const files::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  fingerprint.add(path.string());
  fingerprint.add(static_cast<uint64_t>(status.st_ino));
  fingerprint.add(static_cast<uint64_t>(status.st_mtim.tv_sec));
  fingerprint.add(static_cast<uint64_t>(status.st_mtim.tv_nsec));
}

std::optional<std::string> read_if_readable(const files::path& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (!file && (errno == EACCES || errno == ENOENT)) return std::nullopt;
  check(file.get(), "open", path.string());
  return read_to_end(file.get(), path.string(), kLargestCopy);
}

bool readable_by_all(const files::directory_entry& entry) {
  return (entry.symlink_status().permissions() & files::perms::others_read) != files::perms::none;
}

void copy_entry(Skeleton& skeleton, const files::directory_entry& entry);

void copy_directory(Skeleton& skeleton, const files::directory_entry& directory) {
  skeleton.add_directory(directory.path().relative_path());
  std::error_code unreadable;
  for (const auto& entry : files::directory_iterator(directory.path(), unreadable)) {
    copy_entry(skeleton, entry);
  }
}

// Devices, sockets, pipes and what not everybody may read stay out.
void copy_entry(Skeleton& skeleton, const files::directory_entry& entry) {
  const std::string target = entry.path().relative_path();
  if (entry.is_symlink()) {
    skeleton.add_symlink(target, files::read_symlink(entry.path()));
  } else if (!readable_by_all(entry)) {
    return;
  } else if (entry.is_directory()) {
    copy_directory(skeleton, entry);
  } else if (entry.is_regular_file()) {
    if (auto content = read_if_readable(entry.path()))
      skeleton.add_file(target, std::move(*content));
  }
}

void copy_etc(Skeleton& skeleton) {
  skeleton.add_directory("etc/ssl");
  for (const EtcEntry& wanted : kEtcEntries) {
    const files::directory_entry entry(files::path("/etc") / wanted.path);
    if (entry.exists() || entry.is_symlink()) copy_entry(skeleton, entry);
  }
  skeleton.add_file("etc/profile", std::string(kProfile));
}

// What programs that count processors read; a sysfs would show the hardware and the firmware.
void add_cpu_stub(Skeleton& skeleton) {
  for (const char* path : {"sys/devices", "sys/devices/system", "sys/devices/system/cpu"}) {
    skeleton.add_directory(path);
  }
  for (const char* name : {"online", "possible", "present"}) {
    const std::string path = std::string("sys/devices/system/cpu/") + name;
    if (auto list = read_if_readable('/' + path)) skeleton.add_file(path, *list, 0444);
  }
}

Skeleton make_skeleton(const Accounts& accounts, NameService names) {
  Skeleton skeleton;
  for (const char* path : {"mnt", "opt", "srv", "var/cache", "var/lib", "var/log"}) {
    skeleton.add_directory(path);
  }
  skeleton.add_symlink("var/run", "/run");
  skeleton.add_symlink("var/lock", "/run/lock");
  skeleton.add_directory("run/lock", 01777);
  for (const char* name : kProgramDirectories) {
    const files::path path = files::path("/") / name;
    if (files::is_symlink(path)) {
      skeleton.add_symlink(name, files::read_symlink(path));
    } else if (files::is_directory(path)) {
      skeleton.add_directory(name);
    }
  }
  add_generated_files(skeleton, accounts, names);
  copy_etc(skeleton);
  add_cpu_stub(skeleton);
  return skeleton;
}

uint64_t fingerprint_of_machine(NameService names) {
  Fingerprint fingerprint;
  fingerprint.add(static_cast<uint64_t>(names));
  add_state(fingerprint, "/etc");
  for (const EtcEntry& entry : kEtcEntries)
    add_state(fingerprint, files::path("/etc") / entry.path);
  for (const char* name : kProgramDirectories) add_state(fingerprint, files::path("/") / name);
  if (names == NameService::Host) {
    // Often a symlink to a file that a daemon rewrites.
    fingerprint.add(read_if_readable("/etc/resolv.conf").value_or(std::string()));
  }
  return fingerprint.value();
}

}  // namespace

TemplateSource host_template(NameService names) {
  TemplateSource source{.lowerdirs = {},
                        .read_only_trees = {{HostPath::look_up("/usr"), "usr"}},
                        .accounts = Accounts({}, {}),
                        .identity = "host",
                        .fingerprint = fingerprint_of_machine(names),
                        .make_skeleton = {}};
  for (const char* name : kProgramDirectories) {
    const files::path path = files::path("/") / name;
    if (!files::is_symlink(path) && files::is_directory(path)) {
      source.read_only_trees.push_back({HostPath::look_up(path), name});
    }
  }
  source.make_skeleton = [accounts = source.accounts, names] {
    return make_skeleton(accounts, names);
  };
  return source;
}

}  // namespace sandbox
