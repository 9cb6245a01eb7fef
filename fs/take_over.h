#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "fs/file_owner.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Gives `top`, a directory, and everything below it to `owner`, and tells `on_entry` of each entry
/// below with its path and what it was before. Directories get rwx for their owner.
///
/// For trees at rest that processes with several ids have left. Acts for whom the thread acts; what
/// is not followed and how deep it goes is as with remove_tree(). The kernel takes set-id bits from
/// files whose owner changes: chown(2). Throws Error; EACCES or EPERM for what is somebody else's
/// and no agent helps.
void take_over(UniqueFd top, const FileOwner& owner,
               const std::function<void(const std::string& path, const struct stat&)>& on_entry);

}  // namespace sandbox
