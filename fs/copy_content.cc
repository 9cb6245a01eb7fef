#include "fs/copy_content.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kStep = 16 << 20;        // Between two calls of `copied`.
constexpr size_t kBufferBytes = 256 << 10;  // What cp(1) uses; stays in the cache.

class ContentCopy {
 public:
  ContentCopy(int from, int to, const std::string& path,
              const std::function<void(uint64_t)>& copied)
      : from_(from), to_(to), path_(path), copied_(copied) {}

  void copy_extent(off_t begin, off_t end) {
    while (begin < end) {
      const auto left = static_cast<uint64_t>(end - begin);
      const auto step = static_cast<size_t>(std::min(left, kStep));
      const size_t done = in_kernel_ ? copy_in_kernel(begin, step) : copy_by_buffer(begin, step);
      begin += static_cast<off_t>(done);
      if (done > 0) copied_(done);
    }
  }

 private:
  // Two file systems, or one that lacks the call: copy_file_range(2), ERRORS. Zero then, and the
  // buffer from now on.
  size_t copy_in_kernel(off_t at, size_t bytes) {
    off_t in = at;
    off_t out = at;
    const ssize_t count = ::copy_file_range(from_, &in, to_, &out, bytes, 0);
    if (count < 0 && errno == EINTR) return 0;
    const bool unable = count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
                                      errno == EOPNOTSUPP || errno == EPERM);
    if (count == 0 || unable) {
      in_kernel_ = false;
      return 0;
    }
    return static_cast<size_t>(check(count, "copy_file_range", path_));
  }

  size_t copy_by_buffer(off_t at, size_t bytes) {
    if (!buffer_) buffer_ = std::make_unique<char[]>(kBufferBytes);
    size_t done = 0;
    while (done < bytes) {
      const size_t wanted = std::min(bytes - done, kBufferBytes);
      const off_t offset = at + static_cast<off_t>(done);
      const ssize_t count = ::pread(from_, buffer_.get(), wanted, offset);
      if (count < 0 && errno == EINTR) continue;
      check(count, "pread", path_);
      if (count == 0) throw Error(ESTALE, "read", path_, "the file shrank while it was copied");
      write_at(offset, static_cast<size_t>(count));
      done += static_cast<size_t>(count);
    }
    return done;
  }

  void write_at(off_t offset, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
      const ssize_t count =
          ::pwrite(to_, buffer_.get() + done, bytes - done, offset + static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      done += static_cast<size_t>(check(count, "pwrite", path_));
    }
  }

  int from_;
  int to_;
  const std::string& path_;
  const std::function<void(uint64_t)>& copied_;
  bool in_kernel_ = true;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace

void copy_content(int from, int to, uint64_t size, const std::string& path,
                  const std::function<void(uint64_t)>& copied) {
  const auto end = static_cast<off_t>(size);
  ContentCopy copy(from, to, path, copied);
  off_t at = 0;
  while (at < end) {
    const off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // Only a hole is left.
    check(data, "lseek", path);
    if (data >= end) break;
    const off_t hole = check(::lseek(from, data, SEEK_HOLE), "lseek", path);
    at = std::min(hole, end);
    copy.copy_extent(data, at);
  }
  check(::ftruncate(to, end), "ftruncate", path);
}

}  // namespace sandbox
