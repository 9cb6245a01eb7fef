#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>

#include "fs/host_path.h"
#include "templates/template_source.h"

namespace sandbox {

/// Skeletons on disk, made once and shared by all sandboxes as a read-only layer.
///
/// A directory a boot, in it a directory a skeleton, complete when it has its name. Of one boot,
/// because what a power cut left half written is then never used and nothing needs an fsync. Safe
/// against any number of processes making the same one at once.
class SkeletonStore {
 public:
  /// `directory` exists. What is made belongs to `uid` and `gid`.
  SkeletonStore(std::string directory, uid_t uid, gid_t gid);

  /// The skeleton of `source`, made if it is not there. Throws Error.
  HostPath get(const TemplateSource& source) const;

 private:
  const std::string& boot_directory() const;
  void make(const std::string& path, const Skeleton& skeleton) const;

  std::string directory_;
  mutable std::once_flag boot_known_;
  mutable std::string boot_;  // Below directory_, for this boot.
  uid_t uid_;
  gid_t gid_;
};

}  // namespace sandbox
