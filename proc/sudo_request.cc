#include "proc/sudo_request.h"

#include <cerrno>

#include "sandbox/error.h"

namespace sandbox {

std::vector<std::byte> encode_sudo_request(const SpawnRequest& request) {
  WireWriter out;
  request.encode(out);
  return {out.message().begin(), out.message().end()};
}

SpawnRequest decode_sudo_request(std::span<const std::byte> payload) {
  WireReader in(payload);
  SpawnRequest request = SpawnRequest::decode(in);
  in.finish();
  const bool usual = request.has_stdin && !request.terminal && request.timeout_ms == 0 &&
                     request.output.output == Output::Piped;
  if (!usual || request.argv.empty() || request.programs.empty()) {
    throw Error(EBADMSG, "decode", "sudo request");
  }
  return request;
}

}  // namespace sandbox
