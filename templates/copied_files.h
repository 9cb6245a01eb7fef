#pragma once

#include <set>
#include <string>

#include "templates/manifest.h"

namespace sandbox {

/// What a `copy` step takes.
struct CopiedFiles {
  /// Relative to CopyStep::from, directories before what is in them; "" is that itself.
  std::set<std::string> names;
  bool all = true;  ///< Nothing was left out.
};

/// Looks at the files, and at what the .dockerignore beside the manifest leaves out. What the step
/// names itself is taken in any case, and so is a directory with an exception in it. Throws Error.
CopiedFiles list_copied(const CopyStep& step);

}  // namespace sandbox
