#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sandbox {

/// What a name in the sandbox's file system stands for.
enum class EntryType {
  File,
  Directory,
  Symlink,  ///< One that leads nowhere; any other has the type of what it leads to.
  Other,    ///< FIFO, socket or device. Listed, but never opened by this library.
};

/// `user.e2b.*` extended attributes without that prefix.
using Metadata = std::map<std::string, std::string>;

/// One entry of the sandbox's file system, as lstat(2) saw it; of a symlink, `type` and `mode` are
/// those of its target. Strings are bytes as the sandbox wrote them: any but '/' and NUL may occur
/// in a name, so print them through escape_for_terminal().
struct EntryInfo {
  std::string name;  ///< Last component of `path`.
  std::string path;  ///< Absolute, with the prefix that was asked for.
  EntryType type = EntryType::File;
  uint64_t size = 0;        ///< Bytes. May be 1 EiB: never allocate by it.
  uint32_t mode = 0;        ///< The 0777 bits.
  std::string permissions;  ///< "-rw-r--r--", "drwxr-xr-x", "Lrwxrwxrwx".
  std::string owner;        ///< Name inside the sandbox, or the number.
  std::string group;
  std::chrono::system_clock::time_point modified_time;
  /// Of symlinks: the absolute path inside that it leads to after all links, or its own path when
  /// it leads nowhere.
  std::optional<std::string> symlink_target;
  Metadata metadata;  ///< Empty unless it was asked for: costs two system calls.
  /// errno when list() could not look into this directory (EACCES, EXDEV); its entries are missing.
  int list_error = 0;
};

}  // namespace sandbox
