#include "fs/file_content.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <span>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kChunk = 1 << 20;
constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

// How many bytes are to come; kUnknown when only the end of the file tells.
uint64_t bytes_wanted(const FileRange& file, const ReadOptions& options) {
  if (options.offset < 0) throw Error(EINVAL, "read", file.path, "the offset is negative");
  if (options.length.value_or(0) < 0) throw Error(EINVAL, "read", file.path, "negative length");
  const auto offset = static_cast<uint64_t>(options.offset);
  const auto size = static_cast<uint64_t>(file.status.st_size);
  const auto length = options.length ? static_cast<uint64_t>(*options.length) : kUnknown;
  if (size == 0) return length;
  return offset >= size ? 0 : std::min(length, size - offset);
}

// Reads until the buffer is full or the file ends.
size_t read_full(const FileRange& file, std::span<char> buffer, uint64_t offset) {
  size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count = ::pread(file.fd, buffer.data() + done, buffer.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    check(count, "pread", file.path);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

void require_complete(const FileRange& file, uint64_t wanted, uint64_t got) {
  if (wanted == got || file.status.st_size == 0) return;
  throw Error(ESTALE, "read", file.path, "the file shrank while it was read");
}

[[noreturn]] void throw_too_long(const FileRange& file) {
  throw Error(EFBIG, "read", file.path, "read a range of it, or in chunks, or raise the limit");
}

}  // namespace

std::string read_range(const FileRange& file, const ReadOptions& options) {
  const uint64_t wanted = bytes_wanted(file, options);
  const auto offset = static_cast<uint64_t>(options.offset);
  if (wanted != kUnknown && wanted > options.limit) throw_too_long(file);
  std::string content;
  while (content.size() < wanted) {
    const size_t done = content.size();
    const auto more = std::min(std::max<uint64_t>(done, kChunk), wanted - done);
    content.resize(done + static_cast<size_t>(more));
    const size_t got = read_full(file, std::span(content).subspan(done), offset + done);
    content.resize(done + got);
    if (content.size() > options.limit) throw_too_long(file);
    if (got < more) break;
  }
  require_complete(file, wanted, content.size());
  return content;
}

uint64_t read_range(const FileRange& file, const ReadOptions& options,
                    const ChunkCallback& callback) {
  const uint64_t wanted = bytes_wanted(file, options);
  const auto offset = static_cast<uint64_t>(options.offset);
  std::string buffer(static_cast<size_t>(std::min(wanted, kChunk)), '\0');
  uint64_t done = 0;
  while (done < wanted) {
    const auto more = static_cast<size_t>(std::min<uint64_t>(buffer.size(), wanted - done));
    const size_t got = read_full(file, std::span(buffer).first(more), offset + done);
    if (got > 0) callback(std::string_view(buffer.data(), got));
    done += got;
    if (got < more) break;
  }
  require_complete(file, wanted, done);
  return done;
}

void write_text(int fd, std::string_view data, const std::string& path) {
  write_all(fd, std::as_bytes(std::span(data)), path);
}

void write_stream(int fd, int source, const std::string& path) {
  std::string buffer(kChunk, '\0');
  for (;;) {
    const ssize_t count = ::read(source, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (check(count, "read", path) == 0) return;
    write_text(fd, std::string_view(buffer.data(), static_cast<size_t>(count)), path);
  }
}

}  // namespace sandbox
