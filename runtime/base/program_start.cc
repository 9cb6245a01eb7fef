#include "runtime/base/program_start.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "runtime/base/duplicate_fd.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

void require(int error, const std::string& path) {
  if (error != 0) throw Error(error, "posix_spawn", path);
}

class FileActions {
 public:
  explicit FileActions(const std::string& path) : path_(path) {
    require(::posix_spawn_file_actions_init(&actions_), path_);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void open_null(int fd) {
    require(::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0), path_);
  }
  void duplicate(int from, int to) {
    require(::posix_spawn_file_actions_adddup2(&actions_, from, to), path_);
  }
  void close_from(int fd) {
    require(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd), path_);
  }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  const std::string& path_;
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes(const std::string& path, bool new_session) {
    require(::posix_spawnattr_init(&attributes_), path);
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    const int session = new_session ? POSIX_SPAWN_SETSID : 0;
    ::posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Above every number that a program is given here, so that no dup2 overwrites another's source.
constexpr int kOutOfTheWay = 16;

// posix_spawn(3) takes char* for historical reasons and changes nothing.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

void ProgramStart::pass(int fd, int number) {
  passed_.emplace_back(duplicate(fd, {}, kOutOfTheWay), number);
}

pid_t ProgramStart::run(const std::string& path, const std::vector<std::string>& argv) const {
  FileActions actions(path);
  int last = STDERR_FILENO;
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) actions.open_null(fd);
  for (const auto& [fd, number] : passed_) {
    actions.duplicate(fd.get(), number);
    last = std::max(last, number);
  }
  actions.close_from(last + 1);

  const std::vector<char*> words = pointers(argv);
  const std::vector<char*> variables = pointers(environment_);
  const Attributes attributes(path, new_session_);
  pid_t pid = -1;
  const auto start = as_shell_does_ ? ::posix_spawnp : ::posix_spawn;
  require(start(&pid, path.c_str(), actions.get(), attributes.get(), words.data(),
                as_shell_does_ ? environ : variables.data()),
          path);
  return pid;
}

}  // namespace sandbox
