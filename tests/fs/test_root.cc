#include "tests/fs/test_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fs/fs_identity.h"
#include "sandbox/error.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

// Root's trees belong to this id, which no account of the machine has.
constexpr uid_t kPayloadId = 0x7A000000;

UniqueFd open_path(const std::string& path) {
  return UniqueFd(check(::open(path.c_str(), O_PATH | O_CLOEXEC), "open", path));
}

void make_directory(const std::string& path) { check(::mkdir(path.c_str(), 0755), "mkdir", path); }

void put(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

void mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
              const char* data) {
  check(::mount(source, target.c_str(), type, flags, data), "mount", target);
}

void bind(const std::string& source, const std::string& target) {
  mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC, nullptr);
}

void send_fd(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* header = reinterpret_cast<cmsghdr*>(control);  // There is room for one: cmsg(3).
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
  check(::sendmsg(socket, &message, 0), "sendmsg");
}

UniqueFd receive_fd(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (check(::recvmsg(socket, &message, MSG_CMSG_CLOEXEC), "recvmsg") == 0) {
    throw Error(ECHILD, "recvmsg", "overlay root", "the child could not make its mounts");
  }
  return UniqueFd(*reinterpret_cast<int*>(CMSG_DATA(reinterpret_cast<cmsghdr*>(control))));
}

void write_map(const std::string& path, const std::string& text) {
  const UniqueFd fd(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open", path));
  check(::write(fd.get(), text.data(), text.size()), "write", path);
}

void write_id_maps(pid_t child) {
  const std::string proc = "/proc/" + std::to_string(child);
  const bool root = ::geteuid() == 0;
  const std::string uid = std::to_string(root ? kPayloadId : ::geteuid());
  const std::string gid = std::to_string(root ? kPayloadId : ::getegid());
  if (!root) write_map(proc + "/setgroups", "deny");
  write_map(proc + "/uid_map", "0 " + uid + " 1\n");
  write_map(proc + "/gid_map", "0 " + gid + " 1\n");
}

// In the child, which is uid 0 of its namespace: everything happens on its own /tmp.
void make_layers() {
  mount_at("tmpfs", "/tmp", "tmpfs", 0, nullptr);
  for (const char* name : {"lower", "upper", "work", "root"}) {
    make_directory(std::string("/tmp/") + name);
  }
  make_directory("/tmp/lower/template");
  make_directory("/tmp/lower/template/dir");
  put("/tmp/lower/template/file", "template");
  put("/tmp/lower/template/dir/file", "in a directory");
  mount_at("overlay", "/tmp/root", "overlay", MS_NODEV | MS_NOSUID,
           "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,userxattr");
}

void make_root_mounts() {
  for (const char* name : {"home", "home/user", "tmp", "foreign", "proc", "dev", "etc"}) {
    make_directory(std::string("/tmp/root/") + name);
  }
  mount_at("tmpfs", "/tmp/root/tmp", "tmpfs", MS_NODEV, "mode=1777");
  mount_at("tmpfs", "/tmp/root/foreign", "tmpfs", MS_NODEV, nullptr);
  put("/tmp/root/foreign/secret", "secret");
  bind("/proc", "/tmp/root/proc");
  mount_at("tmpfs", "/tmp/root/dev", "tmpfs", 0, nullptr);
  for (const char* name : {"null", "zero", "tty"}) {
    put(std::string("/tmp/root/dev/") + name, "");
    bind(std::string("/dev/") + name, std::string("/tmp/root/dev/") + name);
  }
  put("/tmp/root/etc/hosts", "");
  put("/tmp/root/foreign/hosts", "mounted");
  bind("/tmp/root/foreign/hosts", "/tmp/root/etc/hosts");
}

[[noreturn]] void run_namespace(int socket) {
  try {
    check(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
    char byte = 0;
    check(::write(socket, &byte, 1), "write");
    check(::read(socket, &byte, 1), "read");  // The maps are written.
    check(::setresgid(0, 0, 0), "setresgid");
    check(::setresuid(0, 0, 0), "setresuid");
    make_layers();
    make_root_mounts();
    send_fd(socket, open_path("/tmp/root").get());
    send_fd(socket, open_path("/tmp/root/tmp").get());
    static_cast<void>(::read(socket, &byte, 1));  // Until the test is over.
    ::_exit(0);
  } catch (const Error& error) {
    std::fprintf(stderr, "overlay root: %s\n", error.what());
    ::_exit(1);
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, RootKind kind) {
  return out << (kind == RootKind::Plain ? "Plain" : "Overlay");
}

TestRoot::TestRoot(RootKind kind) {
  const bool root = ::geteuid() == 0;
  owner_.name = "user";
  owner_.home = "/home/user";
  owner_.host_uid = root ? kPayloadId : ::geteuid();
  owner_.host_gid = root ? kPayloadId : ::getegid();
  if (kind == RootKind::Plain) {
    open_plain();
  } else {
    open_overlay();
  }
  FilesContext::Setup setup;
  setup.root.reset(check(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
  if (volume_) setup.volumes.push_back(status_of(volume_.get(), "volume").stx_mnt_id);
  setup.users["user"] = owner_;
  FileOwner homeless = owner_;
  homeless.home.clear();
  setup.users["homeless"] = homeless;
  setup.names.uids = {{.inside = 1000, .outside = owner_.host_uid}};
  setup.names.gids = {{.inside = 1000, .outside = owner_.host_gid}};
  setup.names.users[1000] = "user";
  setup.names.groups[1000] = "user";
  context_ = std::make_shared<FilesContext>(std::move(setup));
  files_ = Files(context_);
}

TestRoot::~TestRoot() {
  keep_alive_.reset();
  if (namespace_ > 0) ::waitpid(namespace_, nullptr, 0);
}

void TestRoot::open_plain() {
  make_directory(directory_.path("root"));
  make_directory(directory_.path("root/home"));
  make_directory(directory_.path("root/home/user"));
  for (const char* name : {"root", "root/home", "root/home/user"}) {
    const std::string path = directory_.path(name);
    check(::chown(path.c_str(), owner_.host_uid, owner_.host_gid), "chown", path);
  }
  fd_ = open_path(directory_.path("root"));
}

void TestRoot::open_overlay() {
  require_user_namespaces();
  int sockets[2] = {};
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), "socketpair");
  UniqueFd child_end(sockets[1]);
  keep_alive_.reset(sockets[0]);
  namespace_ = check(::fork(), "fork");
  if (namespace_ == 0) {
    keep_alive_.reset();
    run_namespace(child_end.get());
  }
  child_end.reset();
  char byte = 0;
  check(::read(keep_alive_.get(), &byte, 1), "read");
  write_id_maps(namespace_);
  check(::write(keep_alive_.get(), &byte, 1), "write");
  fd_ = receive_fd(keep_alive_.get());
  volume_ = receive_fd(keep_alive_.get());
}

std::string TestRoot::inside(std::string_view path) const {
  return fd_path(fd_.get()) + std::string(path);
}

void TestRoot::as_payload(const std::function<void()>& body) const {
  const FsIdentity as_owner(owner_);
  body();
}

void TestRoot::write(std::string_view path, std::string_view content) const {
  as_payload([&] {
    const std::filesystem::path file = inside(path);
    std::filesystem::create_directories(file.parent_path());
    put(file, content);
  });
}

std::string TestRoot::read(std::string_view path) const {
  std::ostringstream content;
  as_payload([&] { content << std::ifstream(inside(path), std::ios::binary).rdbuf(); });
  return content.str();
}

}  // namespace sandbox::test
