#include "isolation/landlock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>

#include "isolation/capabilities.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::ChildEnd;
using test::in_child;
using test::TempDir;

void require_landlock(int abi) {
  if (landlock_abi() < abi) GTEST_SKIP() << "needs Landlock ABI " << abi;
}

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(check(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open", path));
}

std::string errno_of(long result) { return result < 0 ? std::to_string(errno) : "0"; }

std::string errno_of_open(int dir, const char* path, int flags) {
  const UniqueFd fd(::openat(dir, path, flags | O_CLOEXEC, 0600));
  return errno_of(fd.get());
}

void confine_to(const UniqueFd& root) {
  set_no_new_privs();
  EXPECT_EQ(restrict_to_root(root.get()).weakness, "");
}

TEST(Landlock, FilesOutsideOfTheRootCannotBeOpened) {
  require_landlock(2);
  if (::testing::Test::IsSkipped()) return;
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const ChildEnd end = in_child([&] {
    EXPECT_EQ(errno_of_open(AT_FDCWD, "/etc/passwd", O_RDONLY), "0");
    confine_to(root);
    return errno_of_open(AT_FDCWD, "/etc/passwd", O_RDONLY);
  });
  EXPECT_EQ(end.text, std::to_string(EACCES)) << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Landlock, EverythingStaysPossibleBelowTheRoot) {
  require_landlock(2);
  if (::testing::Test::IsSkipped()) return;
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const ChildEnd end = in_child([&] {
    confine_to(root);
    const int dir = root.get();
    EXPECT_EQ(errno_of_open(dir, "file", O_CREAT | O_RDWR | O_TRUNC), "0");
    EXPECT_EQ(errno_of(::mkdirat(dir, "a", 0700)), "0");
    EXPECT_EQ(errno_of(::mkdirat(dir, "b", 0700)), "0");
    EXPECT_EQ(errno_of(::renameat(dir, "file", dir, "a/file")), "0");
    EXPECT_EQ(errno_of(::linkat(dir, "a/file", dir, "b/file", 0)), "0");
    EXPECT_EQ(errno_of(::symlinkat("file", dir, "b/symlink")), "0");
    EXPECT_EQ(errno_of(::mknodat(dir, "b/fifo", S_IFIFO | 0600, 0)), "0");
    EXPECT_EQ(errno_of_open(dir, "a/file", O_WRONLY | O_TRUNC), "0");
    EXPECT_EQ(errno_of(::unlinkat(dir, "a/file", 0)), "0");
    EXPECT_EQ(errno_of(::unlinkat(dir, "a", AT_REMOVEDIR)), "0");
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Landlock, AbstractSocketsOfTheHostAreUnreachable) {
  require_landlock(6);
  if (::testing::Test::IsSkipped()) return;
  const UniqueFd server{
      check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket", "AF_UNIX")};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "landlock-test-" + std::to_string(::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  check(::bind(server.get(), generic, size), "bind", name);
  check(::listen(server.get(), 5), "listen", name);

  const auto connect = [&] {
    const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return errno_of(::connect(client.get(), generic, size));
  };
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const ChildEnd end = in_child([&] {
    EXPECT_EQ(connect(), "0");
    confine_to(root);
    return connect();
  });
  EXPECT_EQ(end.text, std::to_string(EPERM)) << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Landlock, ProcessesOutsideCannotBeSignalled) {
  require_landlock(6);
  if (::testing::Test::IsSkipped()) return;
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const pid_t test = ::getpid();
  const ChildEnd end = in_child([&] {
    EXPECT_EQ(errno_of(::kill(test, 0)), "0");
    confine_to(root);
    return errno_of(::kill(test, 0));
  });
  EXPECT_EQ(end.text, std::to_string(EPERM)) << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Landlock, DetachedMountIsUsableOnlyIfNamed) {
  require_landlock(2);
  test::require_user_namespaces();
  if (::testing::Test::IsSkipped()) return;
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const auto open_in_detached_tmpfs = [&](bool named) {
    return in_child([&, named] {
      check(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
      const UniqueFd context{
          static_cast<int>(check(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), "fsopen"))};
      check(::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
            "fsconfig");
      const UniqueFd mount{static_cast<int>(
          check(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0), "fsmount"))};
      set_no_new_privs();
      const int fd = mount.get();
      restrict_to_root(root.get(), named ? std::span<const int>(&fd, 1) : std::span<const int>());
      return errno_of_open(fd, ".", O_RDONLY | O_DIRECTORY);
    });
  };
  EXPECT_EQ(open_in_detached_tmpfs(true).text, "0");
  EXPECT_EQ(open_in_detached_tmpfs(false).text, std::to_string(EACCES));
}

TEST(Landlock, WithoutNoNewPrivsTheErrorNamesTheCall) {
  require_landlock(2);
  test::require_unprivileged();
  if (::testing::Test::IsSkipped()) return;
  const TempDir temp;
  const UniqueFd root = open_directory(temp.path());
  const ChildEnd end = in_child([&] {
    restrict_to_root(root.get());
    return std::string("restricted");
  });
  EXPECT_NE(end.text.find("landlock_restrict_self"), std::string::npos) << end;
}

}  // namespace
}  // namespace sandbox
