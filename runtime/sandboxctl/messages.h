#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "sandbox/error.h"

namespace sandboxctl {

/// Exit codes that are not the command's own. Scripts depend on them.
inline constexpr int kUsageError = 2;
inline constexpr int kTimedOut = 124;
inline constexpr int kFailed = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;
inline constexpr int kSignalBase = 128;

/// What went wrong, in the parts of `sandboxctl: DOING: SUBJECT: REASON` and `hint: HINT`. Empty
/// parts are left out.
struct Message {
  std::string doing{};
  std::string subject{};
  std::string reason{};
  std::string hint{};
};

/// Why this process ends without the command's exit code. Thrown by verbs, printed by main().
class Failure : public std::exception {
 public:
  Failure(int exit_code, Message message);

  int exit_code() const noexcept { return exit_code_; }
  const Message& message() const noexcept { return message_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  int exit_code_;
  Message message_;
  std::string text_;
};

/// A wrong command line: exit code 2.
Failure usage_error(std::string_view subject, std::string_view reason, std::string_view hint = {});

/// A failed call of our own, with the current errno: exit code 125.
Failure system_failure(std::string_view doing, std::string_view subject);

/// The parts of a library error: `mount /newroot` is the subject, the errno text the reason.
Message describe(std::string_view doing, const sandbox::Error& error);

/// The one or two lines, escaped for a terminal, each ending with '\n'.
std::string format(const Message& message);

/// Writes to stderr in one write(2), so that lines of several processes do not mix. What stderr
/// does not take is lost: there is nowhere left to complain.
void print_error(const Message& message) noexcept;

/// Writes all of `text`; throws Failure when that is not possible.
void print_all(int fd, std::string_view name, std::string_view text);

}  // namespace sandboxctl
