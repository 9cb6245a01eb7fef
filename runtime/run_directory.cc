#include "runtime/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "fs/remove_tree.h"
#include "isolation/sandbox_cgroup.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/open_directory.h"
#include "runtime/data_directory.h"
#include "runtime/own_directory.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargestRecord = 16 << 20;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Neither may steer a path: crun had to forbid slashes.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_alphanumeric(text.front())) return false;
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789_.-") == std::string_view::npos;
}

bool is_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void require_name(const std::string& name) {
  if (!is_name(name)) {
    throw Error(EINVAL, "find sandbox", name,
                "ids and names are 1 to 64 of a-z A-Z 0-9 _ . - and begin with a letter or digit");
  }
}

// The lock tells: PID 1 takes it along when it ends.
bool is_locked(int directory) { return !try_lock(directory, LOCK_SH); }

// What a dead sandbox has left elsewhere. What is no record leads nowhere: who makes sandboxes
// collects both in their own places.
struct Remains {
  std::string cgroup;
  std::string box_directory;
};

Remains remains_of(const RunDirectory& run, const std::string& id) {
  try {
    const BoxRecord record = run.read(id);
    return {.cgroup = record.cgroup, .box_directory = record.box_directory};
  } catch (const Error&) {
    return {};
  }
}

// Of the dead sandbox `id`; with the run directory locked.
void remove_names_of(const std::string& run_path, const std::string& id) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(run_path + '/' + kNames, none)) {
    remove_name(run_path, entry.path().filename(), id);
  }
}

}  // namespace

std::string RunDirectory::locate(const std::string& configured, const std::string& data_directory,
                                 const std::string& data_path, const HostIdentity& identity) {
  if (!configured.empty()) return std::filesystem::absolute(configured);
  const char* home = ::secure_getenv("SANDBOX_HOME");
  const bool moved = !data_directory.empty() || (home != nullptr && *home != '\0');
  if (moved) return data_path + "/run";
  if (identity.root_caller) return "/run/sandbox";
  if (const char* run = ::secure_getenv("XDG_RUNTIME_DIR"); run != nullptr && *run == '/') {
    return std::string(run) + "/sandbox";
  }
  return data_path + "/run";
}

UniqueFd RunDirectory::open_own() const {
  make_parents(path_);
  make_directory(path_, 0700);
  require_own(path_);
  return open_directory(path_);
}

BoxPlace RunDirectory::make_place(const std::string& name) const {
  if (!name.empty()) require_name(name);
  if (is_id(name)) throw Error(EINVAL, "name", name, "12 hexadecimal digits are an id");
  const UniqueFd run = open_own();
  // Nobody collects what is not locked yet, and nobody else takes the name.
  check(::flock(run.get(), LOCK_EX), "flock", path_);
  const std::string id = make_sandbox_id();
  if (!name.empty()) {
    make_directory(path_ + '/' + kNames, 0700);
    const std::string link = path_ + '/' + kNames + '/' + name;
    std::error_code ignored;
    const std::string holder = std::filesystem::read_symlink(link, ignored);
    const UniqueFd other{is_id(holder) ? ::openat(run.get(), holder.c_str(), O_RDONLY | O_CLOEXEC)
                                       : -1};
    if (other && is_locked(other.get())) {
      throw Error(EEXIST, "name", name, "a living sandbox has it: " + holder);
    }
    ::unlink(link.c_str());
    check(::symlink(id.c_str(), link.c_str()), "symlink", link);
  }
  const std::string path = path_ + '/' + id;
  if (!make_directory(path, 0700)) throw Error(EEXIST, "mkdir", path);
  UniqueFd lock = open_directory(path);
  check(::flock(lock.get(), LOCK_EX), "flock", path);  // Those who list look at it for a moment.
  return BoxPlace(path_, id, name, std::move(lock));
}

std::string RunDirectory::find(const std::string& id_or_name) const {
  require_name(id_or_name);
  if (std::filesystem::exists(path_)) require_own(path_);
  std::string id = id_or_name;
  if (!is_id(id)) {
    std::error_code missing;
    id = std::filesystem::read_symlink(path_ + '/' + kNames + '/' + id_or_name, missing);
  }
  const UniqueFd directory{is_id(id) ? ::open((path_ + '/' + id).c_str(),
                                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                     : -1};
  if (!directory) {
    throw Error(ENOENT, "find sandbox", id_or_name, "`sandboxctl list` shows those that live");
  }
  require_own(path_ + '/' + id);
  if (!is_locked(directory.get())) throw_sandbox_ended(id_or_name);
  return id;
}

bool RunDirectory::is_alive(const std::string& id) const {
  const UniqueFd directory{
      ::open((path_ + '/' + id).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  return directory && is_locked(directory.get());
}

std::vector<std::string> RunDirectory::ids() const {
  std::vector<std::string> alive;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const UniqueFd directory{::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory && is_locked(directory.get())) alive.push_back(id);
  }
  return alive;
}

BoxRecord RunDirectory::read(const std::string& id) const try {
  const std::string path = path_ + '/' + id + '/' + kRecord;
  const UniqueFd record{
      check(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), "open", path)};
  struct stat status {};
  check(::fstat(record.get(), &status), "fstat", path);
  if (!S_ISREG(status.st_mode)) throw Error(EBADMSG, "open", path, "it is not a regular file");
  return BoxRecord::from_json(read_to_end(record.get(), path, kLargestRecord));
} catch (const Error& error) {
  const char* reason = error.code().value() == EPROTO
                           ? "a later version of sandboxctl has written it"
                           : "it is damaged";
  throw Error(error.code().value(), "read the record of", id,
              std::string(reason) + "; `sandboxctl rm " + id + "` ends the sandbox");
}

BoxRecord RunDirectory::read_or_guess(const std::string& id) const {
  try {
    return read(id);
  } catch (const Error&) {
    const std::string path = path_ + '/' + id;
    struct stat status {};
    check(::stat(path.c_str(), &status), "stat", path);
    BoxRecord guess;
    guess.id = id;
    guess.created_ms = int64_t{status.st_mtim.tv_sec} * 1000;
    return guess;
  }
}

BoxConnection RunDirectory::connect(const std::string& id) const {
  return connect_to_box(open_directory(path_ + '/' + id).get(), id);
}

bool RunDirectory::remove(const std::string& id) const {
  const UniqueFd run = open_own();
  check(::flock(run.get(), LOCK_EX), "flock", path_);
  const std::string path = path_ + '/' + id;
  const UniqueFd directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!directory || is_locked(directory.get())) return false;
  remove_names_of(path_, id);
  const Remains remains = remains_of(*this, id);
  if (!remains.cgroup.empty()) remove_dead_cgroup(remains.cgroup);
  if (!remains.box_directory.empty()) remove_dead_box(remains.box_directory);
  remove_tree(run.get(), id);
  return true;
}

std::vector<std::string> RunDirectory::collect() const {
  std::vector<std::string> collected;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const UniqueFd directory{::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || is_locked(directory.get())) continue;
    try {
      if (remove(id)) collected.push_back(id);
    } catch (const Error&) {
      // What cannot be removed must not keep its owner from making new ones.
    }
  }
  return collected;
}

}  // namespace sandbox
