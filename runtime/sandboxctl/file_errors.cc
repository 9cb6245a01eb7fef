#include "runtime/sandboxctl/file_errors.h"

#include <cerrno>
#include <system_error>

namespace sandboxctl {
namespace {

// `web:notes/a` and `/home/user/notes/a` are one file; so are `web:/a` and `/a`.
bool same_file(const std::string& typed, const std::string& subject) {
  const std::string path = typed.substr(typed.find(':') + 1);
  return subject.empty() || subject.ends_with(path) || typed.ends_with(subject);
}

}  // namespace

Failure file_failure(const char* doing, const std::string& subject, const sandbox::Error& error) {
  Message message{.doing = doing, .subject = subject, .hint = error.hint()};
  if (error.code().value() == EPIPE && error.call() == "files") {
    message.reason = error.hint();  // The sandbox has ended: the errno says less.
    message.hint.clear();
  } else {
    message.reason = error.code().message();
    if (!same_file(subject, error.subject())) {
      message.reason = error.subject() + ": " + message.reason;
    }
  }
  return {kFailed, message};
}

Failure file_failure(const char* doing, const std::string& subject, int error) {
  return file_failure(doing, subject, sandbox::Error(error, "", subject));
}

}  // namespace sandboxctl
