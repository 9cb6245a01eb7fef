#include "tests/bench/operations.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox::bench {
namespace {

constexpr uint64_t kAllNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
constexpr int kPipeBytes = 1 << 20;

Duration since(Clock::time_point begin) { return Clock::now() - begin; }

const std::vector<std::string>& no_op() {
  static const std::vector<std::string> argv{"/bin/true"};
  return argv;
}

std::vector<std::string> producer(uint64_t bytes) {
  constexpr uint64_t kBlock = 1 << 20;
  return {"/bin/dd", "if=/dev/zero", "bs=1M", "count=" + std::to_string(bytes / kBlock),
          "status=none"};
}

pid_t clone3_all_namespaces() {
  clone_args args{};
  args.flags = kAllNamespaces;
  args.exit_signal = SIGCHLD;
  return static_cast<pid_t>(check(::syscall(SYS_clone3, &args, sizeof(args)), "clone3"));
}

void wait_for(pid_t pid) { check(::waitpid(pid, nullptr, 0), "waitpid"); }

// posix_spawn(3) with stdout at `out`, or as it is when that is -1.
pid_t spawn(std::vector<std::string> arguments, int out = -1) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (out >= 0) ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error(error, "posix_spawn", arguments.front());
  return pid;
}

uint64_t read_to_end(int fd) {
  std::vector<char> buffer(kPipeBytes);
  uint64_t total = 0;
  ssize_t got = 0;
  while ((got = check(::read(fd, buffer.data(), buffer.size()), "read", "pipe")) > 0) {
    total += static_cast<uint64_t>(got);
  }
  return total;
}

void require_all(uint64_t got, uint64_t bytes) {
  if (got != bytes) throw Error(EIO, "stream", std::to_string(got) + " bytes");
}

}  // namespace

Duration time_create(Runtime& runtime, const SandboxOptions& options) {
  const Clock::time_point begin = Clock::now();
  const Sandbox box = runtime.create(options);
  return since(begin);
}

Duration time_destroy(Runtime& runtime) {
  Sandbox box = runtime.create();
  const Clock::time_point begin = Clock::now();
  box.destroy();
  return since(begin);
}

Duration time_command(Sandbox& box) {
  const Clock::time_point begin = Clock::now();
  const Outcome end = box.commands().start({.argv = no_op()}).wait();
  const Duration elapsed = since(begin);
  if (end != Outcome(Exited{0})) throw Error(EIO, "run", to_string(end));
  return elapsed;
}

Duration time_stream(Sandbox& box, uint64_t bytes) {
  uint64_t got = 0;
  const Clock::time_point begin = Clock::now();
  Process process = box.commands().start({.argv = producer(bytes)});
  process.stream([&got](Stream, std::string_view chunk) { got += chunk.size(); });
  process.wait();
  const Duration elapsed = since(begin);
  require_all(got, bytes);
  return elapsed;
}

Duration time_clone3() {
  const Clock::time_point begin = Clock::now();
  const pid_t pid = clone3_all_namespaces();
  if (pid == 0) ::_exit(0);
  wait_for(pid);
  return since(begin);
}

Duration time_namespace_exit() {
  const UniqueFd running{check(::eventfd(0, EFD_CLOEXEC), "eventfd")};
  const pid_t pid = clone3_all_namespaces();
  if (pid == 0) {
    ::eventfd_write(running.get(), 1);
    for (;;) ::pause();
  }
  eventfd_t ignored = 0;
  check(::eventfd_read(running.get(), &ignored), "eventfd_read");
  const Clock::time_point begin = Clock::now();
  check(::kill(pid, SIGKILL), "kill");
  wait_for(pid);
  return since(begin);
}

Duration time_posix_spawn() {
  const Clock::time_point begin = Clock::now();
  wait_for(spawn(no_op()));
  return since(begin);
}

Duration time_raw_pipe(uint64_t bytes) {
  const Clock::time_point begin = Clock::now();
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  check(::fcntl(writer.get(), F_SETPIPE_SZ, kPipeBytes), "fcntl(F_SETPIPE_SZ)");
  const pid_t pid = spawn(producer(bytes), writer.get());
  writer.reset();
  const uint64_t got = read_to_end(reader.get());
  wait_for(pid);
  const Duration elapsed = since(begin);
  require_all(got, bytes);
  return elapsed;
}

}  // namespace sandbox::bench
