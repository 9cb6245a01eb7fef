#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/base/raw_syscall.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What a child of PID 1 does while PID 1 goes on with its set-up: it makes the network namespace
/// while PID 1 mounts (measured: 400 us), and takes the host's root off while PID 1 confines itself
/// (100 us and more, most of it a grace period of RCU).
///
/// The child has our memory and descriptors, and credentials of its own: what PID 1 gives up
/// meanwhile, it has until it ends. It has ended, or PID 1 has failed, before a command can begin.
/// For a single-threaded process with all capabilities in its user namespace.
class SideWork {
 public:
  /// Begins with the network namespace. Throws Error.
  SideWork();
  SideWork(const SideWork&) = delete;
  SideWork& operator=(const SideWork&) = delete;
  ~SideWork();

  /// Waits until it is made and enters it. Once. Throws Error with what failed.
  void enter_network();
  /// Lets the child go on with drop_old_root(), after enter_network().
  void begin_drop_old_root() noexcept;
  /// Waits until that is done, and for the end of the child. Throws Error with what failed.
  void finish();

 private:
  // What the child is at. The kernel writes 0 when it ends: set_tid_address(2).
  enum Stage : uint32_t { Ended, MakingNetwork, Waiting, DroppingRoot, Leaving };

  static int run(void* self) noexcept;
  void make_network() noexcept;
  void set_stage(Stage stage) noexcept;
  void wait_while(Stage stage) const noexcept;
  void reap() noexcept;
  void require_success() const;

  std::atomic<uint32_t> stage_{MakingNetwork};
  FailedCall failure_;  // Written by the child.
  int network_ = -1;
  UniqueFd proc_;  // Of the host: its path is mounted over meanwhile.
  pid_t child_ = -1;
  alignas(64) std::array<std::byte, 32 << 10> stack_;
};

}  // namespace sandbox
