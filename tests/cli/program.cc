#include "tests/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "sandbox/error.h"

namespace sandbox::test {
namespace {

constexpr int kPatienceMs = 30'000;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Pipe make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments,
                                 const ProgramSetup& setup, int in, int out, int err) {
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const int fd : setup.closed_fds) ::close(fd);
  for (const auto& [name, value] : setup.env) ::setenv(name.c_str(), value.c_str(), 1);

  std::vector<char*> argv{const_cast<char*>(SANDBOXCTL)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(SANDBOXCTL, argv.data());
  ::_exit(99);
}

// False at end of file.
bool read_into(UniqueFd& fd, std::string& text) {
  char buffer[64 << 10];
  const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
  if (count > 0) text.append(buffer, static_cast<size_t>(count));
  if (count <= 0) fd.reset();
  return count > 0;
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const ProgramSetup& setup) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  if (!setup.stdout_path.empty()) {
    out.writer.reset(
        check(::open(setup.stdout_path.c_str(), O_WRONLY | O_CLOEXEC), "open", setup.stdout_path));
  }
  pid_ = check(::fork(), "fork");
  if (pid_ == 0) {
    become_program(arguments, setup, in.reader.get(), out.writer.get(), err.writer.get());
  }
  stdin_ = std::move(in.writer);
  stdout_ = std::move(out.reader);
  stderr_ = std::move(err.reader);
}

Program::~Program() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::write_stdin(const std::string& text) const {
  // A program that does not read is one of the cases; what the pipe does not take is lost.
  check(::fcntl(stdin_.get(), F_SETFL, O_NONBLOCK), "fcntl");
  [[maybe_unused]] const ssize_t count = ::write(stdin_.get(), text.data(), text.size());
}

void Program::signal(int number) const { check(::kill(pid_, number), "kill"); }

bool Program::read_once() {
  pollfd polled[] = {{stdout_.get(), POLLIN, 0}, {stderr_.get(), POLLIN, 0}};
  if (check(::poll(polled, 2, kPatienceMs), "poll") == 0) throw Error(ETIMEDOUT, "poll", "output");
  if (polled[0].revents != 0) read_into(stdout_, ended_.out);
  if (polled[1].revents != 0) read_into(stderr_, ended_.err);
  return stdout_ || stderr_;
}

void Program::await(const std::string& stream, const std::string& text) {
  while (stream.find(text) == std::string::npos) {
    if (!read_once()) throw Error(EPIPE, "read", ended_.err);
  }
}

void Program::await_stdout(const std::string& text) { await(ended_.out, text); }
void Program::await_stderr(const std::string& text) { await(ended_.err, text); }

Ended Program::wait() {
  close_stdin();
  while (stdout_ || stderr_) read_once();
  int status = 0;
  rusage usage{};
  check(::wait4(pid_, &status, 0, &usage), "wait4");
  pid_ = -1;
  ended_.peak_memory_bytes = static_cast<uint64_t>(usage.ru_maxrss) << 10;
  if (WIFEXITED(status)) ended_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended_.signal = WTERMSIG(status);
  return ended_;
}

Ended sandboxctl(const std::vector<std::string>& arguments, const std::string& input,
                 const ProgramSetup& setup) {
  Program program(arguments, setup);
  if (!input.empty()) program.write_stdin(input);
  return program.wait();
}

bool is_one_line(const std::string& text) {
  const size_t first = text.find('\n');
  if (first == std::string::npos) return false;
  const std::string rest = text.substr(first + 1);
  if (rest.empty()) return true;
  return rest.starts_with("hint: ") && std::count(rest.begin(), rest.end(), '\n') == 1;
}

}  // namespace sandbox::test
