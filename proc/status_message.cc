#include "proc/status_message.h"

#include <cerrno>
#include <chrono>
#include <csignal>

#include "runtime/base/wire.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

enum class Kind : uint32_t { Started, StartFailed, Ended, Signal, Detach, Gap, CloseStdin };
enum class End : uint32_t {
  Exited,
  Signaled,
  TimedOut,
  OutOfMemory,
  PidLimit,
  DiskLimit,
  OutputLimit,
  Gone
};

struct OutcomeWriter {
  WireWriter& out;

  void write(End end, int value = 0, bool flag = false) const {
    out.u32(static_cast<uint32_t>(end));
    out.u32(static_cast<uint32_t>(value));
    out.u32(flag ? 1 : 0);
  }
  void operator()(const Exited& e) const { write(End::Exited, e.code); }
  void operator()(const Signaled& s) const { write(End::Signaled, s.signal, s.core_dumped); }
  void operator()(const TimedOut& t) const { write(End::TimedOut, static_cast<int>(t.which)); }
  void operator()(const OutputLimit& limit) const {
    write(End::OutputLimit);
    out.u64(limit.limit_bytes);
  }
  void operator()(const OutOfMemory& o) const {
    write(End::OutOfMemory);
    out.u64(o.limit_bytes);
    out.u64(o.peak_bytes);
  }
  void operator()(const PidLimit& p) const {
    write(End::PidLimit, p.exit_code);
    out.u64(p.limit);
    out.u64(p.refused);
  }
  void operator()(const DiskLimit& d) const {
    write(End::DiskLimit, d.exit_code);
    out.u64(d.limit_bytes);
  }
  void operator()(const SandboxGone&) const { write(End::Gone); }
};

void write_usage(WireWriter& out, const Usage& usage) {
  out.u64(static_cast<uint64_t>(usage.wall.count()));
  out.u64(static_cast<uint64_t>(usage.user.count()));
  out.u64(static_cast<uint64_t>(usage.system.count()));
  out.u64(usage.peak_memory_bytes);
  out.u64(usage.voluntary_switches);
  out.u64(usage.involuntary_switches);
  out.u64(usage.read_bytes);
  out.u64(usage.written_bytes);
  out.u64(usage.sandbox_peak_memory_bytes);
  out.u64(usage.sandbox_peak_pids);
  out.u64(usage.oom_kills);
  out.u64(usage.refused_forks);
}

Usage read_usage(WireReader& in) {
  Usage usage;
  usage.wall = std::chrono::microseconds(in.u64());
  usage.user = std::chrono::microseconds(in.u64());
  usage.system = std::chrono::microseconds(in.u64());
  usage.peak_memory_bytes = in.u64();
  usage.voluntary_switches = in.u64();
  usage.involuntary_switches = in.u64();
  usage.read_bytes = in.u64();
  usage.written_bytes = in.u64();
  usage.sandbox_peak_memory_bytes = in.u64();
  usage.sandbox_peak_pids = in.u64();
  usage.oom_kills = in.u64();
  usage.refused_forks = in.u64();
  return usage;
}

struct MessageWriter {
  WireWriter& out;

  void kind(Kind kind) const { out.u32(static_cast<uint32_t>(kind)); }
  void operator()(const Started& m) const {
    kind(Kind::Started);
    out.u32(static_cast<uint32_t>(m.pid));
  }
  void operator()(const StartFailed& m) const {
    kind(Kind::StartFailed);
    out.u32(static_cast<uint32_t>(m.error));
    out.text(m.call);
    out.text(m.subject);
    out.text(m.hint);
  }
  void operator()(const Ended& m) const {
    kind(Kind::Ended);
    write_outcome(out, m.outcome);
    write_usage(out, m.usage);
    out.u32(m.left_daemons ? 1 : 0);
  }
  void operator()(const SignalRequest& m) const {
    kind(Kind::Signal);
    out.u32(static_cast<uint32_t>(m.signal));
    out.u32(static_cast<uint32_t>(m.target));
  }
  void operator()(const Detach&) const { kind(Kind::Detach); }
  void operator()(const Gap& m) const {
    kind(Kind::Gap);
    out.u32(static_cast<uint32_t>(m.stream));
    out.u64(m.offset);
    out.u64(m.bytes);
  }
  void operator()(const CloseStdin&) const { kind(Kind::CloseStdin); }
};

StatusMessage read_message(WireReader& in) {
  switch (static_cast<Kind>(in.u32())) {
    case Kind::Started:
      return Started{static_cast<pid_t>(in.u32())};
    case Kind::StartFailed: {
      StartFailed failed;
      failed.error = static_cast<int>(in.u32());
      failed.call = in.text();
      failed.subject = in.text();
      failed.hint = in.text();
      return failed;
    }
    case Kind::Ended: {
      Ended ended;
      ended.outcome = read_outcome(in);
      ended.usage = read_usage(in);
      ended.left_daemons = in.u32() != 0;
      return ended;
    }
    case Kind::Signal: {
      SignalRequest request;
      request.signal = static_cast<int>(in.u32());
      request.target = static_cast<Target>(in.u32());
      return request;
    }
    case Kind::Detach:
      return Detach{};
    case Kind::Gap: {
      Gap gap;
      gap.stream = static_cast<Stream>(in.u32());
      gap.offset = in.u64();
      gap.bytes = in.u64();
      return gap;
    }
    case Kind::CloseStdin:
      return CloseStdin{};
  }
  throw Error(EBADMSG, "decode", "status message");
}

}  // namespace

void require_signal(int signal) {
  if (signal >= 1 && signal <= SIGRTMAX) return;
  throw Error(EINVAL, "kill", std::to_string(signal), "signals are 1 to 64, signal(7)");
}

StartFailed to_failure(const Error& error) {
  return {.error = error.code().value(),
          .call = error.call(),
          .subject = error.subject(),
          .hint = error.hint()};
}

void write_outcome(WireWriter& out, const Outcome& outcome) {
  std::visit(OutcomeWriter{out}, outcome);
}

Outcome read_outcome(WireReader& in) {
  const auto end = static_cast<End>(in.u32());
  const int value = static_cast<int>(in.u32());
  const bool flag = in.u32() != 0;
  switch (end) {
    case End::Exited:
      return Exited{value};
    case End::Signaled:
      return Signaled{value, flag};
    case End::TimedOut:
      return TimedOut{static_cast<TimeLimit>(value)};
    case End::OutOfMemory: {
      OutOfMemory end_of_memory;
      end_of_memory.limit_bytes = in.u64();
      end_of_memory.peak_bytes = in.u64();
      return end_of_memory;
    }
    case End::PidLimit: {
      PidLimit pid_limit;
      pid_limit.limit = in.u64();
      pid_limit.refused = in.u64();
      pid_limit.exit_code = value;
      return pid_limit;
    }
    case End::DiskLimit:
      return DiskLimit{.limit_bytes = in.u64(), .exit_code = value};
    case End::OutputLimit:
      return OutputLimit{in.u64()};
    case End::Gone:
      return SandboxGone{};
  }
  throw Error(EBADMSG, "decode", "outcome");
}

std::vector<std::byte> encode(const StatusMessage& message) {
  WireWriter out;
  std::visit(MessageWriter{out}, message);
  return {out.message().begin(), out.message().end()};
}

StatusMessage decode_status(std::span<const std::byte> payload) {
  WireReader in(payload);
  StatusMessage message = read_message(in);
  in.finish();
  return message;
}

}  // namespace sandbox
