#pragma once

#include <optional>
#include <string>

#include "fs/file_owner.h"
#include "fs/root_dir.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A file being written: either the file itself, or a hidden one beside it that takes its place in
/// commit() and is removed when that never happens.
class PendingFile {
 public:
  /// The file itself; commit() has nothing to do.
  explicit PendingFile(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  /// Creates the hidden file in `target.parent`, with mode 0600. commit() acts for `owner`, or for
  /// this process itself when there is none. Throws Error.
  PendingFile(ParentAndName target, std::optional<FileOwner> owner);
  PendingFile(PendingFile&&) noexcept = default;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  int fd() const noexcept { return fd_.get(); }

  /// Gives it its name, replacing what has it. Throws Error: EISDIR when that is a directory.
  void commit();

 private:
  struct Replacement {
    ParentAndName target;
    std::optional<FileOwner> owner;
    std::string hidden_name;
  };

  UniqueFd fd_;
  std::optional<Replacement> replacement_;
};

}  // namespace sandbox
