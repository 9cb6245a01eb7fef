#include "proc/spawn_request.h"

namespace sandbox {

void SpawnRequest::encode(WireWriter& out) const {
  out.texts(argv);
  out.texts(env);
  out.texts(programs);
  out.text(cwd);
  out.u32(uid);
  out.u32(gid);
  out.u64(groups.size());
  for (const gid_t group : groups) out.u32(group);
  out.u64(timeout_ms);
  out.u64(cpu_ms);
  out.u64(idle_ms);
  out.u32(has_stdin ? 1 : 0);
  out.u32(static_cast<uint32_t>(output.output));
  out.u64(output.max_bytes);
  out.u32(static_cast<uint32_t>(output.on_excess));
  out.text(tag);
  out.u32(terminal ? 1 : 0);
  if (terminal) {
    out.u32(terminal->cols);
    out.u32(terminal->rows);
  }
}

SpawnRequest SpawnRequest::decode(WireReader& in) {
  SpawnRequest request;
  request.argv = in.texts();
  request.env = in.texts();
  request.programs = in.texts();
  request.cwd = in.text();
  request.uid = in.u32();
  request.gid = in.u32();
  for (uint64_t left = in.u64(); left > 0; --left) request.groups.push_back(in.u32());
  request.timeout_ms = in.u64();
  request.cpu_ms = in.u64();
  request.idle_ms = in.u64();
  request.has_stdin = in.u32() != 0;
  request.output.output = static_cast<Output>(in.u32());
  request.output.max_bytes = in.u64();
  request.output.on_excess = static_cast<OnExcess>(in.u32());
  request.tag = in.text();
  if (in.u32() != 0) {
    TerminalSize& size = request.terminal.emplace();
    size.cols = static_cast<uint16_t>(in.u32());
    size.rows = static_cast<uint16_t>(in.u32());
  }
  return request;
}

}  // namespace sandbox
