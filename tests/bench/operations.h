#pragma once

#include <cstdint>

#include "sandbox/runtime.h"
#include "sandbox/sandbox.h"
#include "tests/bench/statistics.h"

namespace sandbox::bench {

/// What is measured, and the bare system calls that it is measured against. Each runs once and
/// gives the time of the part that its name says; making and removing the rest does not count.

Duration time_create(Runtime& runtime, const SandboxOptions& options = {});
Duration time_destroy(Runtime& runtime);
/// From start() to the end of wait().
Duration time_command(Sandbox& box);
/// `bytes` of zeros from dd(1) to a callback that drops them.
Duration time_stream(Sandbox& box, uint64_t bytes);

/// clone3(2) with all seven namespaces, _exit(2) in the child, waitid(2).
Duration time_clone3();
/// SIGKILL to a child that waits in its seven namespaces, and waitid(2).
Duration time_namespace_exit();
/// The program of time_command() by posix_spawn(3) and waitpid(2).
Duration time_posix_spawn();
/// The program of time_stream() writing into a pipe of 1 MiB, read with plain read(2).
Duration time_raw_pipe(uint64_t bytes);

}  // namespace sandbox::bench
