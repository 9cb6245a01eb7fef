#include "runtime/init/id_map_helper.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/pipe.h"
#include "runtime/base/program_start.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

// They are set-id programs, so they are looked for where only root writes, not in PATH.
constexpr std::array kDirectories{"/usr/bin/", "/bin/", "/usr/local/bin/", "/run/wrappers/bin/"};

// They edit one file of procfs. One that takes this long waits for something that will not come,
// such as a name service.
constexpr int kTimeoutMs = 10'000;

std::string find_helper(const std::string& name) {
  for (const char* directory : kDirectories) {
    std::string path = directory + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  throw Error(ENOENT, "execve", name,
              "install it (package uidmap or shadow-utils), or use `ids: single`");
}

struct Helper {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd output;
};

Helper start(const std::string& path, std::vector<std::string> arguments) {
  Pipe pipe = make_pipe();
  ProgramStart program;
  program.pass(pipe.writer.get(), STDERR_FILENO);
  arguments.insert(arguments.begin(), path);
  Helper helper;
  helper.output = std::move(pipe.reader);
  helper.pid = program.run(path, arguments);
  helper.pidfd.reset(check(pidfd_open(helper.pid), "pidfd_open", path));
  return helper;
}

int wait_for(const Helper& helper, const std::string& path) {
  pollfd end{helper.pidfd.get(), POLLIN, 0};
  const int ready = check(::poll(&end, 1, kTimeoutMs), "poll", path);
  if (ready == 0) pidfd_send_signal(helper.pidfd.get(), SIGKILL);
  int status = 0;
  check(::waitpid(helper.pid, &status, 0), "waitpid", path);
  if (ready == 0) throw Error(ETIMEDOUT, "execve", path, "it did not end within 10 s");
  return status;
}

std::string read_message(const Helper& helper) {
  std::array<char, 1024> text{};
  const ssize_t got = ::read(helper.output.get(), text.data(), text.size());
  std::string message(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (message.ends_with('\n')) message.pop_back();
  return message;
}

void write_map(const char* name, pid_t child, const std::vector<IdMapping>& mappings) {
  const std::string path = find_helper(name);
  std::vector<std::string> arguments{std::to_string(child)};
  for (std::string& argument : newuidmap_arguments(mappings)) {
    arguments.push_back(std::move(argument));
  }
  const Helper helper = start(path, arguments);
  const int status = wait_for(helper, path);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw Error(EPERM, "execve", path, read_message(helper));
}

}  // namespace

void run_newuidmap(pid_t child, const IdMap& ids) {
  write_map("newuidmap", child, ids.uids());
  write_map("newgidmap", child, ids.gids());
}

}  // namespace sandbox
