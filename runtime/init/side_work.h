#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/base/raw_syscall.h"

namespace sandbox {

/// Parts of the set-up that a child of PID 1 does, one after the other, while PID 1 goes on with
/// others: what takes long, mostly waits, or needs nothing of the rest.
///
/// The child has our memory and descriptors, and credentials of its own: what PID 1 gives up
/// meanwhile, it has until it ends. It has ended, or PID 1 has failed, before a command can begin.
/// For a single-threaded process.
class SideWork {
 public:
  /// What the child does: raw system calls only, as memory, errno included, is PID 1's.
  using Job = FailedCall (*)(void* argument) noexcept;

  /// Starts the child with its first job. What `argument` points to outlives this object. Throws
  /// Error.
  SideWork(Job job, void* argument);
  SideWork(const SideWork&) = delete;
  SideWork& operator=(const SideWork&) = delete;
  ~SideWork();

  /// Adds a job, and does not wait. At most kMostJobs with the first.
  void add(Job job, void* argument) noexcept;
  /// Waits until all jobs are done. Throws Error with what failed.
  void wait();
  /// Waits, and for the end of the child, too. Throws Error with what failed.
  void finish();

  static constexpr std::size_t kMostJobs = 3;

 private:
  static int run(void* self) noexcept;
  void reap() noexcept;

  struct Task {
    Job job = nullptr;
    void* argument = nullptr;
  };

  // Counters that both sides wait on, by futex(2). One more than jobs, because the kernel writes 0
  // into `done_` when the child has ended: set_tid_address(2).
  static constexpr uint32_t kNone = 1;
  std::atomic<uint32_t> added_{kNone};
  std::atomic<uint32_t> done_{kNone};
  std::atomic<bool> no_more_{false};
  std::array<Task, kMostJobs> jobs_{};
  FailedCall failure_;  // Written by the child.
  pid_t child_ = -1;
  alignas(64) std::array<std::byte, 32 << 10> stack_;
};

}  // namespace sandbox
