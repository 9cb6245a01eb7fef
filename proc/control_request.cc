#include "proc/control_request.h"

#include <cerrno>

#include "runtime/base/wire.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

enum class Kind : uint32_t { Spawn, Release, GetRoot, SetTtl, Describe };
enum class ReplyKind : uint32_t { Done, State };

struct RequestWriter {
  WireWriter& out;

  void kind(Kind kind) const { out.u32(static_cast<uint32_t>(kind)); }
  void operator()(const SpawnRequest& request) const {
    kind(Kind::Spawn);
    request.encode(out);
  }
  void operator()(const Release&) const { kind(Kind::Release); }
  void operator()(const GetRoot&) const { kind(Kind::GetRoot); }
  void operator()(const SetTtl& request) const {
    kind(Kind::SetTtl);
    out.u64(request.ttl_ms);
  }
  void operator()(const Describe&) const { kind(Kind::Describe); }
};

ControlRequest read_request(WireReader& in) {
  switch (static_cast<Kind>(in.u32())) {
    case Kind::Spawn:
      return SpawnRequest::decode(in);
    case Kind::Release:
      return Release{};
    case Kind::GetRoot:
      return GetRoot{};
    case Kind::SetTtl:
      return SetTtl{in.u64()};
    case Kind::Describe:
      return Describe{};
  }
  throw Error(EBADMSG, "decode", "control request");
}

struct ReplyWriter {
  WireWriter& out;

  void kind(ReplyKind kind) const { out.u32(static_cast<uint32_t>(kind)); }
  void operator()(const Done&) const { kind(ReplyKind::Done); }
  void operator()(const State& state) const {
    kind(ReplyKind::State);
    out.u64(state.ttl_left_ms);
    out.u64(state.processes);
  }
};

ControlReply read_reply(WireReader& in) {
  switch (static_cast<ReplyKind>(in.u32())) {
    case ReplyKind::Done:
      return Done{};
    case ReplyKind::State: {
      State state;
      state.ttl_left_ms = in.u64();
      state.processes = in.u64();
      return state;
    }
  }
  throw Error(EBADMSG, "decode", "control reply");
}

}  // namespace

std::vector<std::byte> encode(const ControlRequest& request) {
  WireWriter out;
  std::visit(RequestWriter{out}, request);
  return {out.message().begin(), out.message().end()};
}

ControlRequest decode_control_request(std::span<const std::byte> payload) {
  WireReader in(payload);
  ControlRequest request = read_request(in);
  in.finish();
  return request;
}

std::vector<std::byte> encode(const ControlReply& reply) {
  WireWriter out;
  std::visit(ReplyWriter{out}, reply);
  return {out.message().begin(), out.message().end()};
}

ControlReply decode_control_reply(std::span<const std::byte> payload) {
  WireReader in(payload);
  ControlReply reply = read_reply(in);
  in.finish();
  return reply;
}

}  // namespace sandbox
