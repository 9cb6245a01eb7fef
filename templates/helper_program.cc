#include "templates/helper_program.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/base/pipe.h"
#include "runtime/base/program_start.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::string last_lines(int fd) {
  constexpr off_t kMost = 1000;
  const off_t size = ::lseek(fd, 0, SEEK_END);
  std::string text(kMost, '\0');
  const ssize_t length = ::pread(fd, text.data(), text.size(), std::max<off_t>(0, size - kMost));
  text.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

HelperProgram::HelperProgram(const std::vector<std::string>& argv, const std::string& hint)
    : name_(argv.front()) {
  Pipe pipe = make_pipe();
  stdout_ = std::move(pipe.reader);
  stderr_.reset(check(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create"));
  ProgramStart start;
  start.as_shell_does();
  start.pass(pipe.writer.get(), STDOUT_FILENO);
  start.pass(stderr_.get(), STDERR_FILENO);
  try {
    pid_ = start.run(name_, argv);
  } catch (const Error& error) {
    if (error.code().value() != ENOENT) throw;
    throw Error(ENOENT, "execve", name_, hint);
  }
}

HelperProgram::~HelperProgram() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void HelperProgram::finish() {
  std::array<char, 4096> rest{};
  while (check(::read(stdout_.get(), rest.data(), rest.size()), "read", name_) > 0) {
  }
  int status = 0;
  const pid_t pid = std::exchange(pid_, -1);
  // ECHILD: the host ignores SIGCHLD. Then what the program was to make has to speak for it.
  if (::waitpid(pid, &status, 0) < 0 && errno != ECHILD) throw Error(errno, "waitpid", name_);
  if (status != 0) throw Error(EIO, "run", name_, last_lines(stderr_.get()));
}

}  // namespace sandbox
