#include "tests/support/in_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox::test {
namespace {

constexpr int kReturned = 0;
constexpr int kThrew = 1;
constexpr int kFailedExpectation = 2;

int run(const std::function<std::string()>& body, std::string& text) {
  try {
    text = body();
    return ::testing::Test::HasFailure() ? kFailedExpectation : kReturned;
  } catch (const std::exception& error) {
    text = error.what();
    return kThrew;
  }
}

// Ends with _exit: the atexit handlers and the buffered output belong to the parent.
[[noreturn]] void be_child(const std::function<std::string()>& body, int report) {
  std::string text;
  const int exit_code = run(body, text);
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(report, text.data() + done, text.size() - done);
    if (n < 0) break;
    done += static_cast<size_t>(n);
  }
  ::_exit(exit_code);
}

std::string read_to_end(int fd) {
  std::string text;
  char block[4096];
  while (const ssize_t n = check(::read(fd, block, sizeof block), "read", "report of a child")) {
    text.append(block, static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ChildEnd& end) {
  if (end.signal != 0) return out << "killed by signal " << end.signal;
  return out << "exit code " << end.exit_code << ", \"" << end.text << '"';
}

ChildEnd in_child(const std::function<std::string()>& body) {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  const UniqueFd from_child{ends[0]};
  UniqueFd to_parent{ends[1]};

  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) be_child(body, to_parent.get());
  to_parent.reset();

  ChildEnd end{.text = read_to_end(from_child.get())};
  int status = 0;
  check(::waitpid(pid, &status, 0), "waitpid");
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace sandbox::test
