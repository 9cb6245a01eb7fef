#include "templates/copied_files.h"

#include <filesystem>

#include "templates/ignore_rules.h"

namespace sandbox {
namespace {

namespace files = std::filesystem;

bool lies_in(const files::path& path, const files::path& directory) {
  const files::path relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != "..";
}

class CopiedListing {
 public:
  explicit CopiedListing(const CopyStep& step)
      : rules_(IgnoreRules::of_directory(step.context)), context_(step.context) {}

  CopiedFiles list(const files::path& from) {
    copied_.names.insert("");
    const bool inside = lies_in(from, context_);
    if (!files::is_directory(files::symlink_status(from))) return std::move(copied_);
    for (const auto& entry : files::recursive_directory_iterator(from)) {
      const files::path& path = entry.path();
      if (inside && rules_.ignores(path.lexically_relative(context_).string())) {
        copied_.all = false;
      } else {
        take(path.lexically_relative(from));
      }
    }
    return std::move(copied_);
  }

 private:
  // With the directories above it, which may be ignored themselves.
  void take(const files::path& name) {
    for (files::path above = name; !above.empty(); above = above.parent_path()) {
      if (!copied_.names.insert(above).second) return;
    }
  }

  IgnoreRules rules_;
  files::path context_;
  CopiedFiles copied_;
};

}  // namespace

CopiedFiles list_copied(const CopyStep& step) { return CopiedListing(step).list(step.from); }

}  // namespace sandbox
