#pragma once

#include <memory>
#include <string>

#include "fs/file_ops.h"
#include "fs/files_context.h"
#include "fs/sandbox_path.h"
#include "fs/tree_copy.h"

namespace sandbox {

/// One call of Files: who acts where. The root stays open while it lives, whatever
/// FilesContext::close() does in another thread.
class FilesCall {
 public:
  FilesCall(const FilesContext& context, const std::string& user)
      : root_(context.root()), owner_(context.owner(user)), ops_(*root_, owner_, context.names()) {}

  std::string absolute(const std::string& path) const { return absolute_path(path, owner_); }
  const FileOps* operator->() const noexcept { return &ops_; }
  CopySide side() const noexcept { return {&owner_, root_.get()}; }

 private:
  std::shared_ptr<const RootDir> root_;
  const FileOwner& owner_;
  FileOps ops_;
};

}  // namespace sandbox
