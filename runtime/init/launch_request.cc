#include "runtime/init/launch_request.h"

#include "runtime/base/wire.h"

namespace sandbox {
namespace {

void write_mappings(WireWriter& out, const std::vector<IdMapping>& mappings) {
  out.u64(mappings.size());
  for (const IdMapping& mapping : mappings) {
    out.u32(mapping.inside);
    out.u32(mapping.outside);
    out.u32(mapping.count);
  }
}

std::vector<IdMapping> read_mappings(WireReader& in) {
  std::vector<IdMapping> mappings;
  for (uint64_t left = in.u64(); left > 0; --left) {
    IdMapping mapping;
    mapping.inside = in.u32();
    mapping.outside = in.u32();
    mapping.count = in.u32();
    mappings.push_back(mapping);
  }
  return mappings;
}

void write_limits(WireWriter& out, const LaunchRequest& request) {
  out.u64(request.limits.memory_bytes);
  out.u64(request.limits.pids);
  out.u64(request.limits.disk_bytes);
  out.u64(request.rlimits.open_files);
  out.u64(request.rlimits.file_bytes);
}

void read_limits(WireReader& in, LaunchRequest& request) {
  request.limits.memory_bytes = in.u64();
  request.limits.pids = in.u64();
  request.limits.disk_bytes = in.u64();
  request.rlimits.open_files = in.u64();
  request.rlimits.file_bytes = in.u64();
}

}  // namespace

std::vector<std::byte> LaunchRequest::encode() const {
  WireWriter out;
  root.encode(out);
  write_mappings(out, ids.uids());
  write_mappings(out, ids.gids());
  out.u32(static_cast<uint32_t>(map_writer));
  out.u32(own_network ? 1 : 0);
  out.u32(has_listener ? 1 : 0);
  out.u32(sudo_user);
  out.u64(ttl_ms);
  out.u32(static_cast<uint32_t>(ttl_action));
  out.u32(has_cgroup ? 1 : 0);
  write_limits(out, *this);
  out.bytes(allow_filter);
  out.bytes(deny_filter);
  return {out.message().begin(), out.message().end()};
}

LaunchRequest LaunchRequest::decode(std::span<const std::byte> payload) {
  WireReader in(payload);
  LaunchRequest request;
  request.root = RootRequest::decode(in);
  std::vector<IdMapping> uids = read_mappings(in);
  request.ids = IdMap(std::move(uids), read_mappings(in));
  request.map_writer = static_cast<MapWriter>(in.u32());
  request.own_network = in.u32() != 0;
  request.has_listener = in.u32() != 0;
  request.sudo_user = in.u32();
  request.ttl_ms = in.u64();
  request.ttl_action = static_cast<TtlAction>(in.u32());
  request.has_cgroup = in.u32() != 0;
  read_limits(in, request);
  request.allow_filter = in.bytes();
  request.deny_filter = in.bytes();
  in.finish();
  return request;
}

}  // namespace sandbox
