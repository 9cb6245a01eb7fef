#pragma once

#include <string>

#include "runtime/box_record.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Names of entries in a run directory.
inline constexpr const char* kRecord = "sandbox.json";
inline constexpr const char* kNames = "names";

/// 48 random bits as 12 hexadecimal digits.
std::string make_sandbox_id();

/// A place for a detached sandbox that is being made: `RUN/ID`, locked, with a bound socket in it.
/// Removed at the end of the scope unless it was kept.
class BoxPlace {
 public:
  BoxPlace(std::string run_path, std::string id, std::string name, UniqueFd lock);
  BoxPlace(BoxPlace&&) noexcept = default;
  BoxPlace& operator=(BoxPlace&&) = delete;
  ~BoxPlace();

  const std::string& id() const noexcept { return id_; }
  const std::string& path() const noexcept { return path_; }
  /// For init to hold: as long as somebody does, the sandbox counts as alive.
  int lock() const noexcept { return lock_.get(); }
  /// For init to listen on.
  int socket() const noexcept { return socket_.get(); }

  /// Puts the record there, whole or not at all. Throws Error.
  void write(const BoxRecord& record) const;
  /// From now on the lock of init decides.
  void keep() noexcept;

 private:
  std::string run_path_;
  std::string id_;
  std::string name_;
  std::string path_;
  UniqueFd lock_;
  UniqueFd socket_;
};

/// Removes `name` in the run directory if it stands for `id`.
void remove_name(const std::string& run_path, const std::string& name, const std::string& id);

}  // namespace sandbox
