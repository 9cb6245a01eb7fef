#include "runtime/sysctls.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {

std::optional<long> Sysctls::get(const std::string& name) const try {
  std::string path = root_ + "/" + name;
  std::replace(path.begin() + static_cast<std::ptrdiff_t>(root_.size()), path.end(), '.', '/');
  const std::string text = read_kernel_file(AT_FDCWD, path.c_str());
  long value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace sandbox
