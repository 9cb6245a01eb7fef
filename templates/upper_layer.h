#pragma once

#include <string>
#include <vector>

#include "sandbox/unique_fd.h"
#include "templates/layer_listing.h"

namespace sandbox {

/// Makes a layer of what a sandbox left in its upperdir, in place: whiteouts and opaque directories
/// stay, as the kernel made them; set-id bits, FIFOs, sockets and what overlay notes for itself go,
/// and everything becomes readable by its owner, as stored_mode() has it.
///
/// `mount_points` are names of directories at the top that were covered while the step ran; what
/// lies there, nobody has seen. Returns what the tree does not show any more. Throws Error; EPERM
/// for files of subordinate ids, which only a sandbox with a range of ids makes.
RecordedStatuses adopt_upper(UniqueFd upper, const std::vector<std::string>& mount_points);

}  // namespace sandbox
