#pragma once

#include <string>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/error.h"

namespace sandboxctl {

/// `error` as `sandboxctl: DOING: SUBJECT: REASON`, exit code 125. `subject` is what the user has
/// typed; the library's own subject is added when it is another, such as a file of a tree.
Failure file_failure(const char* doing, const std::string& subject, const sandbox::Error& error);

/// The same for an errno of this program.
Failure file_failure(const char* doing, const std::string& subject, int error);

/// `call()`, whose Error becomes a file_failure.
template <typename Call>
auto explained(const char* doing, const std::string& subject, const Call& call) try {
  return call();
} catch (const sandbox::Error& error) {
  throw file_failure(doing, subject, error);
}

}  // namespace sandboxctl
