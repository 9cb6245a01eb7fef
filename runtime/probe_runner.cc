#include "runtime/probe_runner.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

#include "runtime/base/pipe.h"
#include "runtime/base/program_start.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr int kProgramFd = 3;
constexpr const char* kProgramPath = "/proc/self/fd/3";

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
pid_t spawn(int program, int output, const char* name, const std::string& argument) {
  ProgramStart start;
  start.pass(output, STDOUT_FILENO);
  start.pass(program, kProgramFd);
  return start.run(kProgramPath, {"sandbox-init", std::string(kProbeMode), name, argument});
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
