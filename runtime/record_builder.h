#pragma once

#include <cstdint>
#include <vector>

#include "fs/root_file_system.h"
#include "runtime/box_record.h"
#include "runtime/host_identity.h"
#include "sandbox/options.h"
#include "templates/template_source.h"

namespace sandbox {

/// The part of a record that follows from what was asked for: who is in it, by which ids.
BoxRecord make_record(const SandboxOptions& options, const TemplateSource& source,
                      const IdPlan& ids);

/// The mount ids of the sandbox's mounts besides its root that hold ordinary files. To be asked
/// before any command has run: then they are what init mounted. Throws Error.
std::vector<uint64_t> find_volumes(int root, const RootRequest& request);

}  // namespace sandbox
