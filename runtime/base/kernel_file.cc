#include "runtime/base/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

void write_kernel_file(int dir, const char* path, std::string_view value) {
  const UniqueFd fd{check(::openat(dir, path, O_WRONLY | O_CLOEXEC), "openat", path)};
  check(::write(fd.get(), value.data(), value.size()), "write", path);
}

std::string read_kernel_file(int dir, const char* path, std::size_t limit) {
  const UniqueFd fd{check(::openat(dir, path, O_RDONLY | O_CLOEXEC), "openat", path)};
  return read_to_end(fd.get(), path, limit);
}

std::string read_to_end(int fd, std::string_view subject, std::size_t limit) {
  std::string content;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (check(got, "read", subject) == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) throw Error(EFBIG, "read", subject);
  }
}

void write_all(int fd, std::span<const std::byte> data, std::string_view subject) {
  while (!data.empty()) {
    const ssize_t wrote = ::write(fd, data.data(), data.size());
    if (wrote < 0 && errno == EINTR) continue;
    data = data.subspan(static_cast<std::size_t>(check(wrote, "write", subject)));
  }
}

}  // namespace sandbox
