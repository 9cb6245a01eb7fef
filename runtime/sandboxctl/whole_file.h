#pragma once

#include <string>

#include "sandbox/unique_fd.h"

namespace sandboxctl {

/// A file of the host that appears when it is complete, in the place of what had its name: until
/// then it has no name, or a hidden one where the file system wants one.
class WholeFile {
 public:
  /// Throws Failure; for a `path` that is there and no regular file too, because replacing a device
  /// or a FIFO is never what is meant.
  WholeFile(std::string path, std::string doing);
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  int fd() const noexcept { return fd_.get(); }
  /// Gives it its name. Throws Failure.
  void commit();

 private:
  std::string path_;
  std::string doing_;
  std::string hidden_;
  bool has_name_ = false;  ///< `hidden_` is there and to be removed.
  sandbox::UniqueFd fd_;
};

}  // namespace sandboxctl
