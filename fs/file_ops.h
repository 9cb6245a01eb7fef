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

 private:
  std::optional<OpenedFile> find_for_write(const std::string& path, int access) const;
  UniqueFd try_create(const std::string& path, uint64_t flags) const;
  UniqueFd create_file(const std::string& path, int access) const;
  void make_parents(const std::string& path) const;
  PendingFile replace_file(const std::string& path, std::optional<mode_t> mode,
                           const Metadata& metadata) const;

  const RootDir& root_;
  const FileOwner& owner_;
  const IdNames& names_;
};

}  // namespace sandbox
