#include "proc/kept_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "sandbox/error.h"

namespace sandbox {

KeptClient::KeptClient(MessageSocket status, std::array<Tap, 2> taps, bool sets_pace)
    : status_(std::move(status)), taps_(std::move(taps)), sets_pace_(sets_pace) {
  for (const Tap& tap : taps_) {
    if (tap.writer) check(::fcntl(tap.writer.get(), F_SETFL, O_NONBLOCK), "fcntl(F_SETFL)", "pipe");
  }
}

void KeptClient::tell(const StatusMessage& message, UniqueFd fd) {
  outbox_.push_back({encode(message), std::move(fd)});
  flush();
}

void KeptClient::flush() {
  try {
    while (!outbox_.empty()) {
      const Outgoing& next = outbox_.front();
      const int fd = next.fd.get();
      if (!status_.try_send(next.payload, std::span(&fd, fd < 0 ? 0 : 1))) return;
      outbox_.pop_front();
    }
  } catch (const Error& error) {
    if (error.code().value() != EPIPE && error.code().value() != ECONNRESET) throw;
    outbox_.clear();  // It has closed its end, which is told by the end of file.
  }
}

void KeptClient::skip_gap(std::size_t stream, uint64_t to) {
  Tap& tap = taps_.at(stream);
  tell(Gap{
      .stream = static_cast<Stream>(stream), .offset = tap.position, .bytes = to - tap.position});
  tap.position = to;
}

void KeptClient::deliver(std::size_t stream, const OutputRing& ring) {
  Tap& tap = taps_.at(stream);
  while (tap.writer && !tap.is_full && !tap.is_gone && outbox_.empty()) {
    const uint64_t until = std::min(tap.until.value_or(ring.end()), ring.end());
    if (tap.position >= until) return;
    const OutputRing::Piece piece = ring.read(tap.position);
    if (piece.offset > tap.position) {
      skip_gap(stream, std::min(piece.offset, until));
      continue;
    }
    const auto size = std::min<uint64_t>(piece.bytes.size(), until - tap.position);
    const ssize_t wrote = ::write(tap.writer.get(), piece.bytes.data(), size);
    tap.is_full = wrote < 0 && errno == EAGAIN;
    tap.is_gone = wrote < 0 && errno == EPIPE;
    if (tap.is_full || tap.is_gone || (wrote < 0 && errno == EINTR)) continue;
    tap.position += static_cast<uint64_t>(check(wrote, "write", "pipe of a client"));
  }
}

}  // namespace sandbox
