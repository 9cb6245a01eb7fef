#pragma once

#include <atomic>
#include <cstdint>

#include "sandbox/outcome.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Tells the host why a sandbox is gone without a word: memory that no process holds, such as files
/// and SysV segments, can leave PID 1 as the last one to kill. Safe to use from several threads.
class EndWitness {
 public:
  /// Descriptors of memory.events and memory.peak; `limit_bytes` as in OutOfMemory.
  EndWitness(UniqueFd memory_events, UniqueFd memory_peak, uint64_t limit_bytes) noexcept;

  uint64_t oom_kills() const noexcept;
  /// From now on the host itself ends the sandbox.
  void host_ends_it() noexcept { by_host_ = true; }

  /// OutOfMemory when there were `kills_before` at the start of the command and more now; else
  /// SandboxGone.
  Outcome explain(uint64_t kills_before) const noexcept;

 private:
  UniqueFd events_;
  UniqueFd peak_;
  uint64_t limit_bytes_;
  std::atomic<bool> by_host_ = false;
};

}  // namespace sandbox
