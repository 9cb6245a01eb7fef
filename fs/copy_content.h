#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sandbox {

/// Copies what regular file `from` holds to the empty regular file `to`, of which the first `size`
/// bytes count; holes stay holes (lseek(2), SEEK_DATA) and take no time. In the kernel where it can
/// (copy_file_range(2)), else in pieces of 256 KiB. `copied` is told the number of bytes of each
/// step. Throws Error, with subject `path`; ESTALE when `from` is shorter by now.
void copy_content(int from, int to, uint64_t size, const std::string& path,
                  const std::function<void(uint64_t)>& copied);

}  // namespace sandbox
