#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

struct Resource {
  const char* name;
  __rlimit_resource_t number;
};

constexpr Resource kResources[] = {
    {"NOFILE", RLIMIT_NOFILE},   {"NPROC", RLIMIT_NPROC},       {"STACK", RLIMIT_STACK},
    {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"SIGPENDING", RLIMIT_SIGPENDING},
    {"RTPRIO", RLIMIT_RTPRIO},   {"NICE", RLIMIT_NICE},         {"CORE", RLIMIT_CORE},
};

// 139 is a signal as the shell tells it.
int end_of_child(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

int try_limits(Words) {
  for (const Resource& resource : kResources) {
    rlimit limit = {};
    ::getrlimit(resource.number, &limit);
    const rlimit more = {limit.rlim_max, limit.rlim_max + 1};
    char what[32];
    std::snprintf(what, sizeof(what), "raise %s", resource.name);
    tell(what, ::setrlimit(resource.number, &more));
  }
  const rlimit mark = {12345, 12345};
  tell("raise LOCKS", ::setrlimit(RLIMIT_LOCKS, &mark));
  tell("prlimit LOCKS", ::prlimit(0, RLIMIT_LOCKS, &mark, nullptr));
  tell("nice", ::setpriority(PRIO_PROCESS, 0, -5));
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  tell("oom_score_adj", ::write(score, "-500", 4));
  std::fflush(stdout);
  pid_t child = ::fork();
  if (child == 0) {
    // A file larger than allowed ends with SIGXFSZ: setrlimit(2).
    const rlimit small = {4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const int fd = ::open("/tmp/large", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ::pwrite(fd, "x", 1, 8192);
    ::_exit(0);
  }
  std::printf("FSIZE end %d\n", end_of_child(child));
  std::fflush(stdout);
  child = ::fork();
  if (child == 0) {
    const rlimit small = {64 << 20, 64 << 20};
    ::setrlimit(RLIMIT_AS, &small);
    void* const large = ::mmap(nullptr, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::_exit(large == MAP_FAILED && errno == ENOMEM ? 12 : 0);
  }
  std::printf("AS end %d\n", end_of_child(child));
  return 0;
}

int open_many(Words words) {
  const int count = words.count > 0 ? std::atoi(words.at[0]) : 100'000;
  int opened = 0;
  while (opened < count && ::open("/dev/null", O_RDONLY) >= 0) ++opened;
  std::printf("opened %d\n", opened);
  tell("open", opened < count ? -1 : 0);
  say("ready");
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

/// So many MiB on stdout and the same on stderr: NULs and no newline.
int flood(Words words) {
  static char block[1 << 16];
  const long blocks = 16 * (words.count > 0 ? std::atol(words.at[0]) : 1);
  for (long i = 0; i < blocks; ++i) {
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      for (size_t done = 0; done < sizeof(block);) {
        const ssize_t wrote = ::write(fd, block + done, sizeof(block) - done);
        if (wrote < 0) return 1;
        done += static_cast<size_t>(wrote);
      }
    }
  }
  return 0;
}

}  // namespace probe
