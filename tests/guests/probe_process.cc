#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

void* wait_for_ever(void*) {
  for (;;) ::pause();
  return nullptr;
}

void copy_to_stdout(const char* path) {
  FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return tell(path, -1);
  char line[1024];
  while (std::fgets(line, sizeof(line), file) != nullptr) std::fputs(line, stdout);
  std::fclose(file);
}

time_t now() {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

void signal_all_but_us(int signal) {
  const pid_t self = ::getpid();
  for (pid_t pid = 1; pid < 5000; ++pid) {
    if (pid != self) ::kill(pid, signal);
  }
}

// Digits only: NUL and other bytes come out as \xNN.
void print_escaped(const char* text) {
  for (; *text != '\0'; ++text) {
    const auto byte = static_cast<unsigned char>(*text);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      std::putchar(byte);
    } else {
      std::printf("\\x%02x", byte);
    }
  }
  std::putchar('\n');
}

}  // namespace

int print_status(Words) {
  copy_to_stdout("/proc/self/status");
  return 0;
}

/// Starts N threads, says so, and waits until stdin ends. With a program after N, that program is
/// executed then.
int hold_threads(Words words) {
  const int count = words.count > 0 ? std::atoi(words.at[0]) : 0;
  for (int i = 0; i < count; ++i) {
    pthread_t thread = 0;
    if (::pthread_create(&thread, nullptr, wait_for_ever, nullptr) != 0) return 1;
  }
  say("ready");
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  if (words.count > 1) {
    ::execv(words.at[1], words.at + 1);
    return 1;
  }
  return 0;
}

int run_program(Words words) {
  if (words.count == 0) return 2;
  ::execv(words.at[0], words.at);
  tell("execv", -1);
  return 1;
}

int list_processes(Words) {
  DIR* const proc = ::opendir("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    const int pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    char path[300];
    std::snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    char name[256] = {};
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      const ssize_t got = ::read(fd, name, sizeof(name) - 1);
      for (ssize_t i = 0; i + 1 < got; ++i) {
        if (name[i] == '\0') name[i] = ' ';
      }
      ::close(fd);
    }
    std::printf("pid %d %s\n", pid, name);
  }
  ::closedir(proc);
  return 0;
}

int signal_init(Words) {
  for (const int signal :
       {SIGKILL, SIGSTOP, SIGTERM, SIGHUP, SIGCHLD, SIGSEGV, SIGTSTP, SIGRTMAX}) {
    char what[32];
    std::snprintf(what, sizeof(what), "kill(1, %d)", signal);
    tell(what, ::kill(1, signal));
    ::syscall(SYS_tgkill, 1, 1, signal);
    ::syscall(SYS_tkill, 1, signal);
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, 1, 0));
    ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
    ::close(pidfd);
  }
  tell("setpgid(1)", ::setpgid(1, 1));
  rlimit none = {};
  tell("prlimit(1)", ::prlimit(1, RLIMIT_NOFILE, &none, nullptr));
  tell("setpriority(1)", ::setpriority(PRIO_PROCESS, 1, 19));
  tell("setpriority(user)", ::setpriority(PRIO_USER, ::getuid(), 19));
  const sched_param idle = {};
  tell("setscheduler(1)", ::sched_setscheduler(1, SCHED_IDLE, &idle));
  tell("ioprio_set(1)", ::syscall(SYS_ioprio_set, 1, 1, 3 << 13));
  tell("open(/proc/1/mem)", ::open("/proc/1/mem", O_RDWR | O_CLOEXEC));
  tell("open(/proc/1/oom_score_adj)", ::open("/proc/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
  tell("readlink(/proc/1/root)", ::open("/proc/1/root", O_RDONLY | O_CLOEXEC));
  return 0;
}

/// Looks into the process it is given.
int trace_process(Words words) {
  const pid_t pid = words.count > 0 ? std::atoi(words.at[0]) : 1;
  tell("ptrace(SEIZE)", ::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr));
  char byte = 0;
  const iovec here = {&byte, 1};
  const iovec there = {&byte, 1};  // Mapped or not: the right is checked first.
  tell("process_vm_readv", ::process_vm_readv(pid, &here, 1, &there, 1, 0));
  return 0;
}

/// Forks as fast as it can, in sessions of their own; stops and kills everybody it can name.
int storm(Words words) {
  const time_t end = now() + (words.count > 0 ? std::atoi(words.at[0]) : 3600);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGCHLD}) ::signal(signal, SIG_IGN);
  say("storm");
  unsigned round = 0;
  while (now() < end) {
    const pid_t child = ::fork();
    if (child == 0) ::setsid();
    ++round;
    if (round % 64 == 0) ::kill(-1, SIGSTOP);
    if (round % 256 == 0) signal_all_but_us(round % 512 == 0 ? SIGKILL : SIGSTOP);
    if (round % 64 == 32) ::kill(-1, SIGCONT);
  }
  return 0;
}

/// Stops everybody else, again and again, for so many seconds.
int stop_everybody(Words words) {
  const time_t end = now() + (words.count > 0 ? std::atoi(words.at[0]) : 2);
  say("stopping");
  while (now() < end) ::kill(-1, SIGSTOP);
  return 0;
}

/// Leaves a process that has forked twice, has a session of its own and keeps stdout open.
int leave_daemon(Words) {
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) {
      for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGPIPE}) ::signal(signal, SIG_IGN);
      for (;;) ::pause();
    }
    ::_exit(0);
  }
  ::wait(nullptr);
  say("left");
  return 0;
}

/// So many processes whose parent ends at once.
int leave_orphans(Words words) {
  const int wanted = words.count > 0 ? std::atoi(words.at[0]) : 1;
  int made = 0;
  for (; made < wanted; ++made) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) ::_exit(::fork() < 0 ? 1 : 0);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) break;
  }
  std::printf("orphans %d\n", made);
  return 0;
}

/// So many children that end at once and are not waited for, all left to PID 1 together.
int leave_zombies(Words words) {
  const int wanted = words.count > 0 ? std::atoi(words.at[0]) : 1;
  int made = 0;
  for (; made < wanted; ++made) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) ::_exit(0);
  }
  std::printf("zombies %d\n", made);
  return 0;
}

/// Has children that read our own stdout pipe before the host does, and feed it, for a while after
/// our end: a host that trusts poll(2) then blocks in read(2).
int steal_output(Words) {
  const int reader = ::open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (reader < 0) {
    tell("open", reader);
    return 1;
  }
  for (int thief = 0; thief < 2; ++thief) {
    if (::fork() != 0) continue;
    ::setsid();
    const time_t end = now() + 1;
    char byte = 0;
    while (now() < end) {
      ::write(STDOUT_FILENO, "x", 1);
      ::read(reader, &byte, 1);
    }
    for (;;) ::pause();
  }
  const time_t end = now() + 1;
  while (now() < end) ::usleep(1000);
  return 0;
}

/// Ends its first thread, so that proc(5) calls the process a zombie, and lives on in another.
int lose_first_thread(Words) {
  pthread_t thread = 0;
  if (::pthread_create(&thread, nullptr, wait_for_ever, nullptr) != 0) return 1;
  say("headless");
  ::syscall(SYS_exit, 0);
  return 1;
}

int ignore_signals(Words) {
  for (int signal = 1; signal < 65; ++signal) ::signal(signal, SIG_IGN);
  say("ready");
  for (;;) ::pause();
}

/// argv behind the verb and the environment, a line each.
int print_arguments(Words words) {
  for (int i = 0; i < words.count; ++i) {
    std::fputs("argument ", stdout);
    print_escaped(words.at[i]);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::fputs("variable ", stdout);
    print_escaped(*variable);
  }
  return 0;
}

int list_descriptors(Words) {
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) continue;
    char path[32];
    char target[256] = {};
    std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (::readlink(path, target, sizeof(target) - 1) < 0) continue;
    std::printf("fd %d %s\n", fd, target);
  }
  sigset_t blocked;
  ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  for (int signal = 1; signal < 65; ++signal) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_DFL) {
      std::printf("not default %d\n", signal);
    }
    if (::sigismember(&blocked, signal) == 1) std::printf("blocked %d\n", signal);
  }
  std::printf("session leader %s\n", ::getsid(0) == ::getpid() ? "yes" : "no");
  return 0;
}

}  // namespace probe
