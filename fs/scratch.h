#pragma once

#include <cstdint>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// How much fits into it. 0: the kernel's default, half of the machine's memory.
struct ScratchSize {
  uint64_t bytes = 0;
  uint64_t inodes = 0;
};

/// A sandbox's private tmpfs: /dev, /dev/shm, empty masks and, where the kernel can, the upper
/// layer.
///
/// One tmpfs rather than four: a superblock costs about 10 us to make and more to tear down, and
/// one `size` then limits everything that the sandbox can write.
class Scratch {
 public:
  /// Mounts it over /proc of the calling process's mount namespace, where overlay can use it and
  /// only descriptors reach it. Throws Error.
  explicit Scratch(const ScratchSize& size = {});

  /// Makes a directory in it and gives its descriptor.
  UniqueFd make_directory(const char* name, unsigned mode) const;

  /// False before Linux 6.6: a tmpfs without user xattrs, on which an overlay upper cannot record
  /// that a directory of the template was removed (the removal then fails with EIO).
  bool keeps_user_xattrs() const;

 private:
  UniqueFd mount_;
};

}  // namespace sandbox
