#pragma once

#include <functional>
#include <ostream>
#include <string>

namespace sandbox::test {

/// How a child of the test ended.
struct ChildEnd {
  int exit_code = -1;  ///< -1 when a signal ended it.
  int signal = 0;
  std::string text;  ///< What the body returned, or what() of the exception it threw.

  friend bool operator==(const ChildEnd&, const ChildEnd&) = default;
};

std::ostream& operator<<(std::ostream& out, const ChildEnd& end);

/// Runs `body` in a forked child and waits for it: for calls that cannot be undone, such as
/// unshare(2), setresuid(2) or loading a filter.
///
///     EXPECT_EQ(in_child([] { enter_namespaces(); return own_ids(); }).text, "1000:1000");
///
/// Exit code 0 means that the body returned, 1 that it threw, 2 that an EXPECT in it failed (the
/// message is on stderr); the body may also _exit(2) by itself. Only the calling thread exists in
/// the child.
ChildEnd in_child(const std::function<std::string()>& body);

}  // namespace sandbox::test
