#include "tests/support/skips.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"

// Test code is not sanitized itself, but linked with what has this.
extern "C" void __asan_init() __attribute__((weak));

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

// GTEST_SKIP only returns from the function it stands in. GoogleTest takes this exception as the
// quiet end of a test that has reported already.
[[noreturn]] void skip(const std::string& reason) {
  [&] { GTEST_SKIP() << reason; }();
  throw ::testing::AssertionException(
      ::testing::TestPartResult(::testing::TestPartResult::kSkip, nullptr, -1, reason.c_str()));
}

void write_file(const std::string& path, const std::string& content) {
  const UniqueFd fd{check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open", path)};
  check(::write(fd.get(), content.data(), content.size()), "write", path);
}

std::optional<std::string> find_program(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string candidate = directory + '/' + std::string(name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

// The first line of /etc/subuid or /etc/subgid that belongs to the caller: name or number, first
// id, count.
std::optional<std::string> first_subordinate_id(const char* file) {
  const passwd* account = ::getpwuid(::getuid());
  const std::string name = account == nullptr ? "" : account->pw_name;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string owner;
    std::string first;
    std::getline(fields, owner, ':');
    std::getline(fields, first, ':');
    if (owner == name || owner == std::to_string(::getuid())) return first;
  }
  return std::nullopt;
}

int exit_code_of(const std::vector<std::string>& argv) {
  const ChildEnd end = in_child([&]() -> std::string {
    std::vector<char*> words;
    words.reserve(argv.size() + 1);
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    throw Error(errno, "execvp", argv.front());
  });
  return end.exit_code;
}

// A child in a new user namespace without maps, alive until the end of the scope.
class UnmappedChild {
 public:
  UnmappedChild() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe2");
    const UniqueFd ready{ends[0]};
    UniqueFd say_ready{ends[1]};
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) {
      if (::unshare(CLONE_NEWUSER) != 0) ::_exit(1);
      say_ready.reset();
      while (true) ::pause();
    }
    say_ready.reset();
    char none = 0;
    check(::read(ready.get(), &none, 1), "read");  // At EOF the namespace exists.
  }
  UnmappedChild(const UnmappedChild&) = delete;
  UnmappedChild& operator=(const UnmappedChild&) = delete;
  ~UnmappedChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string pid() const { return std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
};

// The directory above that of this process in the cgroup v2 tree; empty where there is none.
std::string cgroup_above_ours() {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3, line.rfind('/') - 3);
  }
  return {};
}

}  // namespace

void require_user_namespaces() {
  const ChildEnd end = in_child([] {
    const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
    check(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
    write_file("/proc/self/uid_map", map);
    return std::string();
  });
  if (end.exit_code != 0) skip("needs user namespaces: " + end.text);
}

void require_subordinate_ids() {
  require_user_namespaces();
  if (::geteuid() == 0) return;
  const auto uid = first_subordinate_id("/etc/subuid");
  const auto gid = first_subordinate_id("/etc/subgid");
  if (!uid || !gid) skip("needs subordinate ids: none in /etc/subuid and /etc/subgid");
  const UnmappedChild child;
  if (exit_code_of({"newuidmap", child.pid(), "0", *uid, "1"}) != 0 ||
      exit_code_of({"newgidmap", child.pid(), "0", *gid, "1"}) != 0) {
    skip("needs subordinate ids: newuidmap or newgidmap refuses");
  }
}

// Before Linux 6.6 a tmpfs has none, and sandboxes keep their changes in a directory.
void require_user_xattrs_on_tmpfs() {
  const UniqueFd file{::memfd_create("xattr", MFD_CLOEXEC)};
  if (::fsetxattr(file.get(), "user.test", "", 0, 0) != 0) {
    skip("needs user xattrs on tmpfs, Linux 6.6");
  }
}

bool is_sanitized() noexcept { return &__asan_init != nullptr; }

void require_no_sanitizer() {
  if (is_sanitized()) skip("is code of init, which is never sanitized");
}

void require_root() {
  if (::geteuid() != 0) skip("needs root");
}

void require_unprivileged() {
  if (::geteuid() == 0) skip("needs an ordinary user");
}

void require_program(std::string_view name) {
  if (!find_program(name)) skip("needs the program " + std::string(name));
}

void require_clock_that_may_be_set() {
  if (std::getenv("SANDBOX_TEST_MICROVM") == nullptr || ::geteuid() != 0) {
    skip("needs a machine whose clock may be set");
  }
}

void require_cgroup_controller(std::string_view controller) {
  const std::string group = cgroup_above_ours();
  std::ifstream file(group + "/cgroup.controllers");
  const std::string reason = "needs cgroup v2 with the controller " + std::string(controller);
  for (std::string name; file >> name;) {
    if (name != controller) continue;
    const std::string probe = group + "/probe." + std::to_string(::getpid());
    if (::mkdir(probe.c_str(), 0755) != 0) skip(reason + ", delegated to us");
    ::rmdir(probe.c_str());
    return;
  }
  skip(reason);
}

}  // namespace sandbox::test
