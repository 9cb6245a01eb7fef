#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

constexpr int kLastCall = 600;

struct Answer {
  int error = 0;
  bool returned = false;
};

// Arguments that no call accepts: one that is let through fails with EBADF, EFAULT or EINVAL, or
// does not return; one that is filtered with the errno of the filter.
void call_in_child(int number, Answer* answer) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(1);
    const pid_t self = ::getpid();
    const int error = ::syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0;
    // What fork(2) made must not answer too, when another call is being tried already.
    if (::getpid() != self) ::_exit(0);
    answer->error = error;
    answer->returned = true;
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
}

// They wait for ever with any arguments; the policy is pure, and tested as such, for them.
bool waits(int number) { return number == SYS_pause || number == SYS_rt_sigsuspend; }

}  // namespace

/// "12 EFAULT", "34 skipped", "60 gone" when the call did not return.
int try_all_calls(Words) {
  ::signal(SIGALRM, SIG_DFL);
  void* const page =
      ::mmap(nullptr, sizeof(Answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const answer = static_cast<Answer*>(page);
  for (int number = 0; number <= kLastCall; ++number) {
    *answer = {};
    if (!waits(number)) call_in_child(number, answer);
    const char* const name =
        waits(number)
            ? "skipped"
            : (!answer->returned ? "gone"
                                 : (answer->error == 0 ? "ok" : strerrorname_np(answer->error)));
    std::printf("%d %s\n", number, name);
    std::fflush(stdout);
  }
  return 0;
}

/// getpid by `int 0x80` and by the x32 number: "i386 signal 31" when the filter kills.
int try_foreign_abi(Words) {
  for (const char* const abi : {"i386", "x32"}) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
      long result = 0;
      if (abi[0] == 'i') {
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(20L)
                         : "memory", "r8", "r9", "r10", "r11");
      } else {
        result = ::syscall(0x40000000 + SYS_getpid);
      }
      ::_exit(result > 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
      std::printf("%s signal %d\n", abi, WTERMSIG(status));
    } else {
      std::printf("%s exit %d\n", abi, WEXITSTATUS(status));
    }
  }
  return 0;
}

}  // namespace probe
