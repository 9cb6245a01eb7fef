#include "proc/spawn_request.h"

#include "runtime/base/wire.h"

namespace sandbox {

void SpawnRequest::send(const MessageSocket& control, std::span<const int> fds) const {
  WireWriter out;
  out.texts(argv);
  out.texts(env);
  out.texts(programs);
  out.text(cwd);
  out.u32(uid);
  out.u32(gid);
  out.u64(groups.size());
  for (const gid_t group : groups) out.u32(group);
  out.u64(timeout_ms);
  out.u32(has_stdin ? 1 : 0);
  control.send(out.message(), fds);
}

SpawnRequest SpawnRequest::decode(std::span<const std::byte> payload) {
  WireReader in(payload);
  SpawnRequest request;
  request.argv = in.texts();
  request.env = in.texts();
  request.programs = in.texts();
  request.cwd = in.text();
  request.uid = in.u32();
  request.gid = in.u32();
  for (uint64_t left = in.u64(); left > 0; --left) request.groups.push_back(in.u32());
  request.timeout_ms = in.u64();
  request.has_stdin = in.u32() != 0;
  in.finish();
  return request;
}

}  // namespace sandbox
