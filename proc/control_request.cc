#include "proc/control_request.h"

#include <cerrno>

#include "runtime/base/wire.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

enum class Kind : uint32_t {
  Spawn,
  Release,
  GetRoot,
  SetTtl,
  Describe,
  List,
  Connect,
  Signal,
  GetNamespaces,
  RenewTtl,
  GetTcpTables,
  Dial
};
enum class ReplyKind : uint32_t { Done, State, CommandList, Signalled };

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
  void operator()(const ListCommands&) const { kind(Kind::List); }
  void operator()(const ConnectRequest& request) const {
    kind(Kind::Connect);
    out.u32(static_cast<uint32_t>(request.pid));
    out.text(request.tag);
    out.u64(request.out_from);
    out.u64(request.err_from);
    out.u32(static_cast<uint32_t>(request.follow));
  }
  void operator()(const SignalCommand& request) const {
    kind(Kind::Signal);
    out.u32(static_cast<uint32_t>(request.pid));
    out.u32(static_cast<uint32_t>(request.signal.signal));
    out.u32(static_cast<uint32_t>(request.signal.target));
  }
  void operator()(const GetNamespaces&) const { kind(Kind::GetNamespaces); }
  void operator()(const RenewTtl&) const { kind(Kind::RenewTtl); }
  void operator()(const GetTcpTables&) const { kind(Kind::GetTcpTables); }
  void operator()(const Dial& request) const {
    kind(Kind::Dial);
    out.u32(request.port);
    out.u32(static_cast<uint32_t>(request.address));
  }
};

ConnectRequest read_connect(WireReader& in) {
  ConnectRequest request;
  request.pid = static_cast<pid_t>(in.u32());
  request.tag = in.text();
  request.out_from = in.u64();
  request.err_from = in.u64();
  request.follow = static_cast<Follow>(in.u32());
  return request;
}

SignalCommand read_signal(WireReader& in) {
  SignalCommand request;
  request.pid = static_cast<pid_t>(in.u32());
  request.signal.signal = static_cast<int>(in.u32());
  request.signal.target = static_cast<Target>(in.u32());
  return request;
}

Dial read_dial(WireReader& in) {
  Dial request;
  request.port = static_cast<uint16_t>(in.u32());
  request.address = in.u32() == 0 ? LocalAddress::Ipv4 : LocalAddress::Ipv6;
  return request;
}

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
    case Kind::List:
      return ListCommands{};
    case Kind::Connect:
      return read_connect(in);
    case Kind::Signal:
      return read_signal(in);
    case Kind::GetNamespaces:
      return GetNamespaces{};
    case Kind::RenewTtl:
      return RenewTtl{};
    case Kind::GetTcpTables:
      return GetTcpTables{};
    case Kind::Dial:
      return read_dial(in);
  }
  throw Error(EBADMSG, "decode", "control request");
}

void write_command(WireWriter& out, const CommandInfo& command) {
  out.u32(static_cast<uint32_t>(command.pid));
  out.texts(command.argv);
  out.text(command.cwd);
  out.texts(command.env_names);
  out.text(command.tag);
  out.u32(static_cast<uint32_t>(command.output));
  out.u32(command.in_terminal ? 1 : 0);
  out.u32(static_cast<uint32_t>(command.state));
  out.u32(command.outcome ? 1 : 0);
  if (command.outcome) write_outcome(out, *command.outcome);
  out.u64(static_cast<uint64_t>(command.age.count()));
  out.u64(command.stdout_bytes);
  out.u64(command.stderr_bytes);
}

CommandInfo read_command(WireReader& in) {
  CommandInfo command;
  command.pid = static_cast<pid_t>(in.u32());
  command.argv = in.texts();
  command.cwd = in.text();
  command.env_names = in.texts();
  command.tag = in.text();
  command.output = static_cast<Output>(in.u32());
  command.in_terminal = in.u32() != 0;
  command.state = static_cast<CommandState>(in.u32());
  if (in.u32() != 0) command.outcome = read_outcome(in);
  command.age = std::chrono::milliseconds(in.u64());
  command.stdout_bytes = in.u64();
  command.stderr_bytes = in.u64();
  return command;
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
  void operator()(const CommandList& list) const {
    kind(ReplyKind::CommandList);
    out.u64(list.commands.size());
    for (const CommandInfo& command : list.commands) write_command(out, command);
  }
  void operator()(const Signalled& signalled) const {
    kind(ReplyKind::Signalled);
    out.u32(signalled.existed ? 1 : 0);
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
    case ReplyKind::CommandList: {
      CommandList list;
      // Not reserved: the count may be a lie, and each command is read against the end.
      for (uint64_t left = in.u64(); left > 0; --left) list.commands.push_back(read_command(in));
      return list;
    }
    case ReplyKind::Signalled:
      return Signalled{in.u32() != 0};
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
