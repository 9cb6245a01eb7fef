#include "proc/kept_stream.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// Passes bytes on and need not remember any.
constexpr std::size_t kRelayBytes = 128 << 10;

bool keeps_tail(const OutputPolicy& policy) {
  return policy.max_bytes != 0 && policy.on_excess == OnExcess::KeepTail;
}

std::size_t ring_capacity(const OutputPolicy& policy) {
  if (keeps_tail(policy)) return policy.max_bytes;
  if (policy.output == Output::Piped) return kRelayBytes;
  if (policy.max_bytes == 0) return OutputRing::kDefaultCapacity;
  return std::min<uint64_t>(policy.max_bytes, OutputRing::kDefaultCapacity);
}

}  // namespace

KeptStream::KeptStream(UniqueFd source, const OutputPolicy& policy)
    : source_(std::move(source)), ring_(ring_capacity(policy)) {
  if (policy.max_bytes != 0 && !keeps_tail(policy)) limit_ = policy.max_bytes;
  lossless_ = policy.output == Output::Piped && !keeps_tail(policy);
  if (!source_) return;
  terminal_ = ::isatty(source_.get()) == 1;
  const int flags = check(::fcntl(source_.get(), F_GETFL), "fcntl(F_GETFL)", "output");
  check(::fcntl(source_.get(), F_SETFL, flags | O_NONBLOCK), "fcntl(F_SETFL)", "output");
}

std::size_t KeptStream::room(uint64_t slowest) const noexcept {
  return ring_.capacity() - (ring_.end() - std::max(slowest, ring_.begin()));
}

KeptStream::Taken KeptStream::take(std::span<char> buffer) {
  const ssize_t got = ::read(source_.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (got < 0 && errno == EIO) return {.at_end = true};  // A terminal that nobody has open: pty(7).
  if (check(got, "read", "output") == 0) return {.at_end = true};
  const auto size = static_cast<std::size_t>(got);
  const uint64_t allowed = limit_ - std::min(seen_, limit_);
  seen_ += size;
  return {.kept = {buffer.data(), std::min<uint64_t>(size, allowed)}};
}

std::size_t KeptStream::waiting() const {
  int bytes = 0;
  if (source_) check(::ioctl(source_.get(), FIONREAD, &bytes), "ioctl(FIONREAD)", "output");
  return static_cast<std::size_t>(bytes);
}

}  // namespace sandbox
