#pragma once

#include <gmock/gmock.h>

#include <cstring>

#include "sandbox/error.h"

namespace sandbox::test {

/// Matches an Error by its errno.
MATCHER_P(IsError, errno_value, std::string("is ") + std::strerror(errno_value)) {
  *result_listener << "which says " << arg.what();
  return arg.code().value() == errno_value;
}

/// Matches a callable that throws Error with this errno.
///
///     EXPECT_THAT([&] { files.read("/pipe"); }, FailsWith(EINVAL));
MATCHER_P(FailsWith, errno_value, std::string("fails with ") + std::strerror(errno_value)) {
  try {
    static_cast<void>(arg());
  } catch (const Error& error) {
    *result_listener << "which says " << error.what();
    return error.code().value() == errno_value;
  }
  *result_listener << "which does not throw";
  return false;
}

/// The same, and the whole of what() has to match too.
///
///     EXPECT_THAT(mount_it, FailsWith(ENOENT, HasSubstr("/missing")));
MATCHER_P2(FailsWith, errno_value, what, std::string("fails with ") + std::strerror(errno_value)) {
  try {
    static_cast<void>(arg());
  } catch (const Error& error) {
    *result_listener << "which says " << error.what();
    return error.code().value() == errno_value &&
           ::testing::ExplainMatchResult(what, std::string(error.what()), result_listener);
  }
  *result_listener << "which does not throw";
  return false;
}

}  // namespace sandbox::test
