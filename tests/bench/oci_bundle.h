#pragma once

#include <filesystem>
#include <string>

namespace sandbox::bench {

/// The smallest OCI bundle in which /bin/true runs, for crun and runc: the host's /usr read-only,
/// a /proc, a minimal /dev, all seven namespaces, and the caller mapped to root when it is not root
/// already. No seccomp filter and no cgroup, as bubblewrap has none.
///
/// A directory below $TMPDIR with `config.json`, `rootfs` and `state`, removed at the end. Throws
/// std::filesystem::filesystem_error.
class OciBundle {
 public:
  OciBundle();
  OciBundle(const OciBundle&) = delete;
  OciBundle& operator=(const OciBundle&) = delete;
  ~OciBundle();

  std::string path() const { return root_.string(); }
  std::string rootfs() const { return (root_ / "rootfs").string(); }
  /// For --root.
  std::string state() const { return (root_ / "state").string(); }

 private:
  std::filesystem::path root_;
};

}  // namespace sandbox::bench
