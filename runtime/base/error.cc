#include "sandbox/error.h"

namespace sandbox {
namespace {

std::string describe(std::string_view call, std::string_view subject) {
  std::string text(call);
  if (!subject.empty()) text.append("(\"").append(subject).append("\")");
  return text;
}

}  // namespace

Error::Error(int errno_value, std::string_view call, std::string_view subject,
             std::string_view hint)
    : std::system_error(errno_value, std::generic_category(), describe(call, subject)),
      call_(call),
      subject_(subject),
      hint_(hint) {}

}  // namespace sandbox
