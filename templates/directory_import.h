#pragma once

#include <string>

#include "templates/import_budget.h"
#include "templates/tree_writer.h"

namespace sandbox {

/// Copies what is below the directory `path` of the host into `tree`, with the caller's rights.
/// Symlinks are copied, mount points of other file systems entered, devices, FIFOs and sockets left
/// out; hard links stay linked. Throws Error; EACCES for what the caller may not read.
void import_directory(const std::string& path, TreeWriter& tree, ImportBudget& budget);

}  // namespace sandbox
