#include "isolation/seccomp_install.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "isolation/seccomp_filter.h"
#include "sandbox/error.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"

#ifdef __x86_64__

namespace sandbox {
namespace {

using test::ChildEnd;
using test::in_child;

void confine(Profile profile) {
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  install_seccomp(seccomp_filter(profile).allow);
  install_seccomp(seccomp_filter(profile).deny);
}

bool already_confined() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Seccomp:", 0) == 0) return line.find('0') == std::string::npos;
  }
  return false;
}

/// A call with arguments that the kernel itself refuses, or that do nothing.
struct Probe {
  const char* name;
  long number;
  std::array<unsigned long, 5> arguments;
  int without_filter;  ///< The errno, or 0.
  int with_filter;
};

constexpr unsigned long kBad = ~0UL;
constexpr unsigned long kHigh = 0x100000000UL;

constexpr Probe kProbes[] = {
    {"read", SYS_read, {kBad}, EBADF, EBADF},
    {"openat", SYS_openat, {kBad, 0}, EFAULT, EFAULT},
    {"getppid", SYS_getppid, {}, 0, 0},
    {"ioctl TCGETS", SYS_ioctl, {kBad, 0x5401}, EBADF, EBADF},
    {"ioctl TIOCSTI", SYS_ioctl, {kBad, 0x5412}, EBADF, EPERM},
    {"ioctl TIOCSTI and a high bit", SYS_ioctl, {kBad, kHigh | 0x5412}, EBADF, EPERM},
    {"ioctl TIOCLINUX", SYS_ioctl, {kBad, 0x541C}, EBADF, EPERM},
    {"ioctl TIOCSETD", SYS_ioctl, {kBad, 0x5423}, EBADF, EPERM},
    {"socket of no family", SYS_socket, {255}, EAFNOSUPPORT, EAFNOSUPPORT},
    {"socket NETLINK_GENERIC", SYS_socket, {16, 3, 16}, 0, EPROTONOSUPPORT},
    {"socketpair AF_INET", SYS_socketpair, {2, 1, 0, 0}, EFAULT, EAFNOSUPPORT},
    {"sendto", SYS_sendto, {kBad, 0, 0, 0}, EBADF, EBADF},
    {"sendto MSG_OOB", SYS_sendto, {kBad, 0, 0, 1}, EBADF, EOPNOTSUPP},
    {"sendmsg MSG_OOB", SYS_sendmsg, {kBad, 0, 1}, EBADF, EOPNOTSUPP},
    {"sendmmsg MSG_OOB", SYS_sendmmsg, {kBad, 0, 1, 1}, EBADF, EOPNOTSUPP},
    {"setsockopt TCP_ULP", SYS_setsockopt, {kBad, 6, 31}, EBADF, ENOPROTOOPT},
    {"setsockopt SO_KEEPALIVE", SYS_setsockopt, {kBad, 1, 9}, EBADF, EBADF},
    {"seccomp NEW_LISTENER", SYS_seccomp, {1, 8, 0}, EFAULT, EPERM},
    {"seccomp filter", SYS_seccomp, {1, 0, 0}, EFAULT, EFAULT},
    {"personality ADDR_NO_RANDOMIZE", SYS_personality, {0x40000}, 0, EPERM},
    {"personality query", SYS_personality, {0xffffffff}, 0, 0},
    {"setrlimit RLIMIT_LOCKS", SYS_setrlimit, {10, 0}, EFAULT, EPERM},
    {"setrlimit RLIMIT_CORE", SYS_setrlimit, {4, 0}, EFAULT, EFAULT},
    {"prlimit64 RLIMIT_LOCKS", SYS_prlimit64, {0, 10, kBad}, EFAULT, EPERM},
    {"prlimit64 reading RLIMIT_LOCKS", SYS_prlimit64, {0, 10, 0, kBad}, EFAULT, EFAULT},
    {"clone3", SYS_clone3, {0, 0}, EINVAL, ENOSYS},
    {"unshare nothing", SYS_unshare, {0}, 0, EPERM},
    {"setns", SYS_setns, {kBad, 0}, EBADF, EPERM},
    {"keyctl", SYS_keyctl, {kBad}, EOPNOTSUPP, EPERM},
    {"add_key", SYS_add_key, {0}, EFAULT, EPERM},
    {"name_to_handle_at", SYS_name_to_handle_at, {kBad, 0, 0, 0, kBad}, EINVAL, EPERM},
    {"pidfd_getfd", SYS_pidfd_getfd, {kBad, kBad, 0}, EBADF, EPERM},
    {"ptrace", SYS_ptrace, {1, kBad}, ESRCH, EPERM},
    {"vmsplice", SYS_vmsplice, {kBad}, EBADF, EPERM},
    {"io_uring_enter", SYS_io_uring_enter, {kBad, 0, 0, 0}, EBADF, ENOSYS},
    {"a call of the future", 600, {}, ENOSYS, ENOSYS},
};

int errno_of(const Probe& probe) {
  const auto& a = probe.arguments;
  return ::syscall(probe.number, a[0], a[1], a[2], a[3], a[4]) < 0 ? errno : 0;
}

/// The errno of every probe, from a child that calls `prepare` first.
std::vector<int> results_after(const std::function<void()>& prepare) {
  const ChildEnd end = in_child([&] {
    prepare();
    std::string text;
    for (const Probe& probe : kProbes) text += std::to_string(errno_of(probe)) + ' ';
    return text;
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  std::istringstream text(end.text);
  std::vector<int> results(std::istream_iterator<int>(text), {});
  results.resize(std::size(kProbes), -1);
  return results;
}

TEST(SeccompInstall, KernelAnswersAsTheTableSays) {
  if (already_confined()) GTEST_SKIP() << "this process has a seccomp filter: no control possible";
  const std::vector<int> without = results_after([] {});
  const std::vector<int> with = results_after([] { confine(Profile::Default); });
  for (std::size_t i = 0; i < with.size(); ++i) {
    const Probe& probe = kProbes[i];
    EXPECT_EQ(without[i], probe.without_filter) << probe.name;
    EXPECT_EQ(with[i], probe.with_filter) << probe.name;
  }
}

std::string getpid_of_i386() {
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? "called" : "refused";
}

TEST(SeccompInstall, Int80KillsTheProcess) {
  if (in_child(getpid_of_i386).text != "called") GTEST_SKIP() << "needs a kernel with i386 calls";
  const ChildEnd end = in_child([] {
    confine(Profile::Default);
    return getpid_of_i386();
  });
  EXPECT_EQ(end.signal, SIGSYS) << end;
}

TEST(SeccompInstall, X32CallKillsTheProcess) {
  const auto getpid_of_x32 = [] {
    ::syscall(0x40000000 | SYS_getpid);
    return std::string("returned");
  };
  ASSERT_EQ(in_child(getpid_of_x32).text, "returned");
  const ChildEnd end = in_child([&] {
    confine(Profile::Default);
    return getpid_of_x32();
  });
  EXPECT_EQ(end.signal, SIGSYS) << end;
}

TEST(SeccompInstall, LaterFilterCannotLoosen) {
  const auto result_of_ptrace = [] {
    return ::syscall(SYS_ptrace, 1, -1) < 0 ? std::to_string(errno) : "called";
  };
  const ChildEnd loose = in_child([&] {
    confine(Profile::Dev);
    return result_of_ptrace();
  });
  const ChildEnd both = in_child([&] {
    confine(Profile::Strict);
    confine(Profile::Dev);
    return result_of_ptrace();
  });
  EXPECT_EQ(loose.text, std::to_string(ESRCH));
  EXPECT_EQ(both.text, std::to_string(EPERM));
}

TEST(SeccompInstall, StrictStartsAndEndsAProgram) {
  const ChildEnd end = in_child([] {
    confine(Profile::Strict);
    ::execl("/bin/sh", "sh", "-c", "test $(echo hello | tr a-z A-Z) = HELLO", nullptr);
    return std::string("not started");
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  EXPECT_EQ(end.text, "");
}

TEST(SeccompInstall, LengthIsCheckedBeforeTheKernelSeesIt) {
  const std::vector<std::byte> bytes((BPF_MAXINSNS + 1) * sizeof(sock_filter));
  const std::span<const std::byte> all(bytes);
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{12}, all.size()}) {
    EXPECT_EQ(try_install_seccomp(all.first(length)), EINVAL) << length;
  }
}

TEST(SeccompInstall, WithoutNoNewPrivsTheErrorSaysSo) {
  test::require_unprivileged();  // CAP_SYS_ADMIN may filter without.
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) GTEST_SKIP() << "no_new_privs is set already";
  const ChildEnd end = in_child([]() -> std::string {
    try {
      install_seccomp(seccomp_filter(Profile::Default).allow);
    } catch (const Error& error) {
      return std::to_string(error.code().value()) + ": " + error.hint();
    }
    return "installed";
  });
  EXPECT_EQ(end.text, std::to_string(EACCES) + ": set no_new_privs before the filter");
}

}  // namespace
}  // namespace sandbox

#endif
