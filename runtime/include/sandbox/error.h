#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace sandbox {

/// A request that the kernel (or this library) refused.
///
/// what() reads `mount("/newroot"): Operation not permitted`: the call, its subject,
/// and the errno text, so that a log line alone says what to look up in the man page.
/// code() is the errno, in std::generic_category(). Copyable; usable from any thread.
class Error : public std::system_error {
 public:
  Error(int errno_value, std::string_view call, std::string_view subject,
        std::string_view hint = {});

  /// The system call or library step that failed, e.g. "openat2".
  const std::string& call() const noexcept { return call_; }
  /// What it was applied to: a path inside the sandbox, a cgroup file, a pid. May be empty.
  const std::string& subject() const noexcept { return subject_; }
  /// Why it probably failed and what to change, one sentence. Empty when that is not known.
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string call_;
  std::string subject_;
  std::string hint_;
};

/// Returns `result` unless it is negative; then throws Error with the current errno.
///
/// Pass an existing string as `subject`: building one in the argument list may change errno.
///
///     UniqueFd cgroup{check(::open(path.c_str(), O_PATH | O_CLOEXEC), "open", path)};
template <typename T>
T check(T result, std::string_view call, std::string_view subject = {}) {
  if (result < 0) throw Error(errno, call, subject);
  return result;
}

}  // namespace sandbox
