#pragma once

#include <cstdint>
#include <optional>

namespace sandbox {

/// What one sandbox may use, all its commands together. What is not set is not limited, except as
/// said below.
///
/// Each is enforced by the kernel before the first instruction of a command runs; where it cannot
/// be, creating the sandbox fails and says why. Those of memory, processes, processor and disk
/// speed take a cgroup of version 2 that may be divided: RuntimeOptions. Numbers that make no
/// sense, or that are above what the cgroups around allow, are EINVAL.
struct Limits {
  /// Memory with page cache, files in memory and the kernel's own; no swap. At least 4 MiB.
  std::optional<int64_t> memory_bytes = {};
  /// From here on allocations are slowed down and memory is taken back. Below memory_bytes.
  std::optional<int64_t> memory_high_bytes = {};
  /// Processes and threads, PID 1 not counted. 512 in a sandbox that has a cgroup.
  std::optional<int64_t> pids = {};
  /// Processors that may be busy at a time, in every tenth of a second. 0.01 to 1024.
  std::optional<double> cpus = {};
  /// Share of processor time when there is not enough for all, 1 to 10000; others have 100.
  std::optional<int64_t> cpu_weight = {};
  /// What it may write: files in memory, Upper::Memory, which takes Linux 6.6. There is one inode
  /// for each 4 KiB. At least 1 MiB. With memory_bytes alone it is three quarters of that, for
  /// /dev/shm too.
  std::optional<int64_t> disk_bytes = {};
  /// Bytes a second that it may read from, and write to, the disk that its changes are on. At least
  /// 4096. Takes Upper::Directory, which Upper::Auto then is, on a file system with a block device
  /// of its own: not on btrfs. Other disks, seen through Mounts, are not meant.
  std::optional<int64_t> disk_read_rate = {};
  std::optional<int64_t> disk_write_rate = {};
  /// RLIMIT_NOFILE of each command, 16 to 4096. Else 1024, which a command may raise to 4096.
  std::optional<int64_t> open_files = {};
  /// RLIMIT_FSIZE: the size of each file; who writes beyond is killed by SIGXFSZ.
  std::optional<int64_t> file_bytes = {};
  /// A cgroup even when no limit needs one, for Sandbox::pause and Sandbox::stats.
  bool own_cgroup = false;

  bool operator==(const Limits&) const = default;
};

}  // namespace sandbox
