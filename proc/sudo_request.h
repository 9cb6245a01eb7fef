#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "proc/spawn_request.h"

namespace sandbox {

/// What the sudo of a sandbox asks for: a SpawnRequest, from a program that may be anybody's. With
/// it come stdin, stdout, stderr and the working directory, which counts instead of the request's.

std::vector<std::byte> encode_sudo_request(const SpawnRequest& request);

/// Throws Error with EBADMSG, also for what sudo never asks for.
SpawnRequest decode_sudo_request(std::span<const std::byte> payload);

}  // namespace sandbox
