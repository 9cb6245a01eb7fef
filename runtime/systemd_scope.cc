#include "runtime/systemd_scope.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "runtime/base/deadline.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/pipe.h"
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

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

class FileActions {
 public:
  explicit FileActions(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, 0, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

pid_t spawn(const std::string& program, std::vector<std::string> words, int output) {
  // Not 0, 1 or 2, onto which it is copied.
  const UniqueFd high{check(::fcntl(output, F_DUPFD_CLOEXEC, 3), "fcntl(F_DUPFD)", program)};
  const FileActions actions(high.get());
  std::vector<std::string> variables = environment();
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, program.c_str(), actions.get(), nullptr,
                                  pointers(words).data(), pointers(variables).data());
  if (error == 0) return pid;
  throw Error(error == ENOENT ? EOPNOTSUPP : error, "posix_spawn", program,
              "it comes with systemd, which this machine does not have");
}

// What the program wrote to stderr until it ended. Its exit code may not be had: the host may
// ignore SIGCHLD, or wait for every child itself.
std::string run(const std::string& program, std::vector<std::string> words) {
  Pipe output = make_pipe();
  const pid_t pid = spawn(program, std::move(words), output.writer.get());
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
  const std::string unit =
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
