#include "templates/helper_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/base/pipe.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void open_null(int fd) {
    ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDONLY, 0);
  }
  void dup(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void close_from(int fd) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

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
  FileActions actions;
  actions.open_null(STDIN_FILENO);
  actions.dup(pipe.writer.get(), STDOUT_FILENO);
  actions.dup(stderr_.get(), STDERR_FILENO);
  actions.close_from(STDERR_FILENO + 1);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error =
      ::posix_spawnp(&pid_, name_.c_str(), actions.get(), nullptr, words.data(), environ);
  if (error == 0) return;
  pid_ = -1;
  throw Error(error, "execve", name_, error == ENOENT ? hint : std::string());
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
