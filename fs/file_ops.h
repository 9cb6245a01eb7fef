#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fs/file_owner.h"
#include "fs/pending_file.h"
#include "fs/root_dir.h"
#include "sandbox/entry_info.h"
#include "sandbox/files.h"

namespace sandbox {

/// File operations in one root for one user of the sandbox.
///
/// This is what Files is made of, less the descriptors' contents: each call takes plain data and an
/// absolute path and gives plain data or a descriptor. So the same code runs in the host, or in any
/// other process that holds the root and may act for a user for whom the host may not, and only
/// what it returns has to travel.
///
/// Holds references; made for one call. Throws Error as documented at Files.
class FileOps {
 public:
  FileOps(const RootDir& root, const FileOwner& owner, const IdNames& names) noexcept
      : root_(root), owner_(owner), names_(names) {}

  OpenedFile open_for_read(const std::string& path) const;
  /// A file to be filled from its start and then committed.
  PendingFile open_for_write(const std::string& path, WriteMode mode,
                             const Metadata& metadata) const;
  UniqueFd open_for_append(const std::string& path) const;

  std::optional<EntryInfo> stat(const std::string& path) const;
  bool exists(const std::string& path) const;
  std::vector<EntryInfo> list(const std::string& path, const ListOptions& options) const;

  bool make_dir(const std::string& path) const;
  /// Makes missing parents of `path`; its last component is not looked at.
  void make_parents(const std::string& path) const;

  void remove(const std::string& path) const;
  /// False when the kernel cannot rename it: another mount, or a directory of a template layer.
  bool rename(const std::string& from, const std::string& to) const;
  void symlink(const std::string& target, const std::string& path) const;
  void chmod(const std::string& path, mode_t mode) const;
  void chown(const std::string& path, const FileOwner& new_owner) const;
  void touch(const std::string& path) const;
  Metadata metadata(const std::string& path) const;
  void set_metadata(const std::string& path, const Metadata& metadata) const;
  DiskUsage disk_usage(const std::string& path) const;

  /// Mode and modification time of an entry, or of a file that is open: the last step of unpacking.
  void set_status(const std::string& path, mode_t mode, const timespec& modified) const;
  void set_status(int fd, const std::string& path, mode_t mode, const timespec& modified) const;
  /// Removes anything but a directory (EISDIR); nothing there is success.
  void remove_file(const std::string& path) const;

  /// Ends of a copy.
  Resolved resolve(const std::string& path, Symlinks last) const;
  /// Symlinks are followed.
  bool is_directory(const std::string& path) const;
  UniqueFd open_directory(const std::string& path) const;
  UniqueFd make_and_open_directory(const std::string& path) const;
  ParentAndName resolve_parent(const std::string& path) const;

 private:
  void set_metadata(int fd, const Metadata& metadata) const;
  std::optional<OpenedFile> find_for_write(const std::string& path, int access) const;
  UniqueFd try_create(const std::string& path, uint64_t flags) const;
  UniqueFd create_file(const std::string& path, int access) const;
  PendingFile replace_file(const std::string& path, std::optional<mode_t> mode,
                           const Metadata& metadata) const;

  const RootDir& root_;
  const FileOwner& owner_;
  const IdNames& names_;
};

}  // namespace sandbox
