#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// One directory of the cgroup v2 hierarchy. Everything is reached from its descriptor: a path
/// could name another directory by the time it is used.
class Cgroup {
 public:
  /// Takes a descriptor opened for reading, not O_PATH, so that it can be locked.
  explicit Cgroup(UniqueFd directory) noexcept : directory_(std::move(directory)) {}
  /// Throws Error: ENOENT, or EOPNOTSUPP when `path` is no directory of a cgroup2 file system.
  static Cgroup open(const std::string& path);

  int fd() const noexcept { return directory_.get(); }

  /// Makes a child; EEXIST when there is one.
  Cgroup make(const std::string& name) const;
  Cgroup make_or_open(const std::string& name) const;
  Cgroup child(const std::string& name) const;
  /// The directory above; nothing where that is not part of the hierarchy any more.
  std::optional<Cgroup> parent() const;

  std::string read(const char* file) const;
  void write(const char* file, std::string_view value) const;
  bool has(const char* file) const noexcept;
  /// True when we may make children here and give them controllers.
  bool is_ours() const noexcept;

  /// Lets children have `controller`, "memory" for example. Throws Error: EBUSY when processes live
  /// in this cgroup itself (cgroups(7), "no internal processes"), ENOENT when it is not to be had.
  void enable(std::string_view controller) const;
  bool has_controller(std::string_view controller) const;

  /// Moves a process here with all its threads.
  void add(pid_t pid) const;

  /// cgroup.freeze, and waits until all processes stand still or run again. Throws Error with
  /// ETIMEDOUT when one does not.
  void set_frozen(bool frozen) const;

  /// SIGKILL to every process in it and below, those that fork just now included: cgroup.kill.
  void kill() const;

  /// The value behind `key` in one of the files with a key and a number in each line.
  uint64_t counter(const char* file, std::string_view key) const;
  /// Nothing for "max", and where the kernel has no such file.
  std::optional<uint64_t> number(const char* file) const;

 private:
  UniqueFd directory_;
};

/// Removes the cgroup `name` of `parent`, in which nothing runs any more, and waits for the kernel
/// to see that. Nothing to remove is fine. Throws Error with EBUSY when something does run there.
void remove_cgroup(const Cgroup& parent, const std::string& name);

}  // namespace sandbox
