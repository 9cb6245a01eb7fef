#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fs/host_path.h"

namespace sandbox {

/// The generated top layer of a template: the directories we mount on and the files of /etc that we
/// write. Being on top, its real directories hide a symlink or file that a template has in their
/// place (CVE-2026-41579 was a /dev that was a symlink).
class Skeleton {
 public:
  /// What a sandbox needs of every root: /dev, /proc, /tmp, /etc/passwd, /home/user and so on.
  Skeleton();

  /// A layer of other purpose: nothing in it.
  static Skeleton empty();

  void add_directory(const std::string& path, mode_t mode = 0755);
  void add_file(const std::string& path, std::string content, mode_t mode = 0644);
  void add_symlink(const std::string& path, const std::string& target);

  /// Same content, same digest.
  uint64_t digest() const;

  /// Creates everything below the open directory `target`. Parents come before their entries.
  void write(int target) const;

 private:
  enum class Kind { Directory, File, Symlink };
  struct Entry {
    Kind kind = Kind::Directory;
    std::string path;     // Relative, without a leading '/'.
    std::string content;  // Or the target of a symlink.
    mode_t mode = 0;
  };

  std::vector<Entry> entries_;
};

/// FNV-1a: names things in a cache of our own; no protection against an adversary.
class Fingerprint {
 public:
  void add(const void* data, std::size_t size);
  void add(const std::string& text);
  void add(uint64_t number) { add(&number, sizeof(number)); }
  uint64_t value() const noexcept { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace sandbox
