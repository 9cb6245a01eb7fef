#include "runtime/systemd_scope.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "runtime/base/deadline.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/pipe.h"
#include "runtime/base/program_start.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{10'000};

// What sd-bus looks at to find the bus. Nothing else of the host's environment.
constexpr const char* kVariables[] = {"DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS",
                                      "XDG_RUNTIME_DIR"};

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (const char* name : kVariables) {
    const char* value = ::secure_getenv(name);
    if (value != nullptr) variables.push_back(std::string(name) + '=' + value);
  }
  return variables;
}

// D-Bus signature and values of Manager.StartTransientUnit: org.freedesktop.systemd1(5).
std::vector<std::string> arguments(const std::string& unit, pid_t pid) {
  return {"busctl",
          ::geteuid() == 0 ? "--system" : "--user",
          "--timeout=10",
          "call",
          "org.freedesktop.systemd1",
          "/org/freedesktop/systemd1",
          "org.freedesktop.systemd1.Manager",
          "StartTransientUnit",
          "ssa(sv)a(sa(sv))",
          unit,
          "fail",
          "4",
          "Description",
          "s",
          "sandboxes",
          "Delegate",
          "b",
          "true",
          "CollectMode",
          "s",
          "inactive-or-failed",
          "PIDs",
          "au",
          "1",
          std::to_string(pid),
          "0"};
}

pid_t start(const std::string& program, const std::vector<std::string>& words, int output) {
  ProgramStart start;
  start.pass(output, STDERR_FILENO);
  start.set_environment(environment());
  try {
    return start.run(program, words);
  } catch (const Error& error) {
    if (error.code().value() != ENOENT) throw;
    throw Error(EOPNOTSUPP, error.call(), program,
                "it comes with systemd, which this machine does not have");
  }
}

// What the program wrote to stderr until it ended. Its exit code may not be had: the host may
// ignore SIGCHLD, or wait for every child itself.
std::string run(const std::string& program, const std::vector<std::string>& words) {
  Pipe output = make_pipe();
  const pid_t pid = start(program, words, output.writer.get());
  output.writer.reset();
  std::string text = read_to_end(output.reader.get(), program, 65536);
  ::waitpid(pid, nullptr, 0);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_in(pid_t pid, const std::string& unit) {
  const std::string path = "/proc/" + std::to_string(pid) + "/cgroup";
  return read_kernel_file(AT_FDCWD, path.c_str()).find('/' + unit) != std::string::npos;
}

}  // namespace

std::string start_delegated_scope(pid_t pid, const std::string& busctl) {
  std::string unit =
      "sandbox-" + std::to_string(pid) + '-' + std::to_string(std::random_device()()) + ".scope";
  const std::string complaint = run(busctl, arguments(unit, pid));
  if (!complaint.empty()) throw Error(EOPNOTSUPP, "StartTransientUnit", unit, complaint);
  // The answer is that a job has begun; it ends in a moment, and only its effect counts.
  const auto deadline = deadline_after(kPatience);
  while (!is_in(pid, unit)) {
    if (Clock::now() > deadline) throw Error(ETIMEDOUT, "StartTransientUnit", unit);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return unit;
}

}  // namespace sandbox
