#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fs/dir_stack.h"
#include "fs/file_owner.h"
#include "fs/root_dir.h"
#include "sandbox/files.h"

namespace sandbox {

/// Where a copy comes from or goes to: a sandbox, or the host.
struct CopySide {
  const FileOwner* owner = nullptr;  ///< Who acts there; null: this process itself.
  const RootDir* root = nullptr;     ///< Set for a sandbox: only its own mounts are entered.
};

/// Copies files and trees between two sides: the engine of upload, download and copy.
///
/// Either side may be hostile and changing. Entries are taken and made by descriptors, one
/// component at a time, no symlink is followed on either side, and what exists on the target is
/// replaced, never written through: files by rename(2), symlinks where a directory has to be by
/// that directory.
class TreeCopy {
 public:
  TreeCopy(CopySide source, CopySide target, const TransferOptions& options)
      : source_(source), target_(target), options_(options) {}

  /// The content of a directory into another; both open for reading.
  TransferResult copy_directory(UniqueFd from, UniqueFd to) &&;
  /// One regular file to a name. `path` is for errors and progress.
  TransferResult copy_file(const OpenedFile& from, ParentAndName to, const std::string& path) &&;

 private:
  struct Level {
    DirNames names;
    struct stat status = {};
    size_t path_length = 0;
  };

  void enter(UniqueFd from, UniqueFd to, const struct stat& status);
  void leave();
  void visit(const char* name);
  void visit_directory(const char* name);
  void visit_file(const char* name);
  void visit_symlink(const char* name);
  void skip() { result_.skipped.push_back(path_); }
  UniqueFd make_target_directory(const char* name);
  void fill(const OpenedFile& from, ParentAndName to);
  void count_entry();
  void count_bytes(uint64_t bytes);

  CopySide source_;
  CopySide target_;
  const TransferOptions& options_;
  TransferResult result_;
  std::optional<DirStack> from_;
  std::optional<DirStack> to_;
  std::vector<Level> levels_;
  std::string path_;  ///< Of the current entry, relative to the top.
  dev_t target_device_ = 0;
  ino_t target_inode_ = 0;
};

}  // namespace sandbox
