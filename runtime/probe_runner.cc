#include "runtime/probe_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

#include "runtime/base/pipe.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr int kProgramFd = 3;
constexpr const char* kProgramPath = "/proc/self/fd/3";

void require(int error, const char* call) {
  if (error != 0) throw Error(error, call, kProgramPath);
}

class FileActions {
 public:
  FileActions() { require(::posix_spawn_file_actions_init(&actions_), "posix_spawn"); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void duplicate(int fd, int as) {
    require(::posix_spawn_file_actions_adddup2(&actions_, fd, as), "posix_spawn");
  }
  void open(int fd, const char* path, int flags) {
    require(::posix_spawn_file_actions_addopen(&actions_, fd, path, flags, 0), "posix_spawn");
  }
  void close_from(int fd) {
    require(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd), "posix_spawn");
  }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// The host may block and ignore what it likes; a probe starts with the defaults.
class DefaultSignals {
 public:
  DefaultSignals() {
    require(::posix_spawnattr_init(&attributes_), "posix_spawn");
    sigset_t set;
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  DefaultSignals(const DefaultSignals&) = delete;
  DefaultSignals& operator=(const DefaultSignals&) = delete;
  ~DefaultSignals() { ::posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Everything up to end of file, or nothing after kPatience.
bool read_answer(int fd, std::string& text) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&polled, 1, static_cast<int>(left.count())) <= 0) continue;
    char buffer[4096];
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count <= 0) return true;
    text.append(buffer, static_cast<size_t>(count));
  }
}

ProbeResult parse(const std::string& answer) {
  ProbeResult result;
  const char* end = answer.data() + answer.size();
  const auto [rest, failure] = std::from_chars(answer.data(), end, result.error);
  if (failure != std::errc{} || rest == end || answer.back() != '\n') {
    return {.error = ECHILD, .text = "the probe died"};
  }
  result.text.assign(rest + 1, end - 1);
  return result;
}

// Starts `sandbox-init --probe name argument` with `output` as its stdout.
pid_t spawn(int program_fd, int output_fd, const char* name, const std::string& argument) {
  // Above the numbers they are to get: a dup2 onto one that is still needed would lose it.
  const UniqueFd program{check(::fcntl(program_fd, F_DUPFD_CLOEXEC, kProgramFd + 1), "fcntl")};
  const UniqueFd output{check(::fcntl(output_fd, F_DUPFD_CLOEXEC, kProgramFd + 1), "fcntl")};
  FileActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDWR);
  actions.duplicate(STDIN_FILENO, STDERR_FILENO);
  actions.duplicate(output.get(), STDOUT_FILENO);
  actions.duplicate(program.get(), kProgramFd);
  actions.close_from(kProgramFd + 1);

  std::string words[] = {"sandbox-init", std::string(kProbeMode), name, argument};
  char* const argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                        nullptr};
  char* const envp[] = {nullptr};
  const DefaultSignals signals;
  pid_t pid = 0;
  require(::posix_spawn(&pid, kProgramPath, actions.get(), signals.get(), argv, envp),
          "posix_spawn");
  return pid;
}

}  // namespace

ProbeResult ProbeRunner::run(const char* name, const std::string& argument) const {
  Pipe pipe = make_pipe();
  const pid_t pid = spawn(program_, pipe.writer.get(), name, argument);
  pipe.writer.reset();

  // The pipe tells all: in a host that ignores SIGCHLD there is nothing to wait for.
  std::string answer;
  const bool ended = read_answer(pipe.reader.get(), answer);
  if (!ended) ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (!ended) return {.error = ETIMEDOUT, .text = "the probe hung"};
  return parse(answer);
}

}  // namespace sandbox
