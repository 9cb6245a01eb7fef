#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sandbox {

/// Files of procfs, sysfs and cgroupfs, which take a value in one write(2) or refuse it whole.

/// Writes `value` to `path` below `dir` (AT_FDCWD is allowed). Throws Error naming the file.
void write_kernel_file(int dir, const char* path, std::string_view value);

/// Reads `path` below `dir` to its end, at most `limit` bytes. Throws Error; EFBIG beyond `limit`.
std::string read_kernel_file(int dir, const char* path, std::size_t limit = 1 << 20);

/// Reads what is left of `fd`, at most `limit` bytes. `subject` names the file in the Error.
std::string read_to_end(int fd, std::string_view subject, std::size_t limit);

/// write(2) until everything is written. `subject` names the file in the Error.
void write_all(int fd, std::span<const std::byte> data, std::string_view subject);

}  // namespace sandbox
