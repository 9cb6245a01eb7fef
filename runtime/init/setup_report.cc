#include "runtime/init/setup_report.h"

#include <cerrno>

#include "runtime/base/wire.h"

namespace sandbox {
namespace {

enum class Kind : uint32_t { Cloned, Ready, Failed };

struct ReportWriter {
  WireWriter& out;

  void operator()(const Cloned& cloned) const {
    out.u32(static_cast<uint32_t>(Kind::Cloned));
    out.u32(static_cast<uint32_t>(cloned.host_pid));
  }
  void operator()(const Ready& ready) const {
    out.u32(static_cast<uint32_t>(Kind::Ready));
    out.u64(ready.steps.size());
    for (const TimedStep& step : ready.steps) {
      out.text(step.name);
      out.u64(step.microseconds);
    }
    out.u32(static_cast<uint32_t>(ready.landlock_abi));
    out.text(ready.landlock_weakness);
  }
  void operator()(const SetupFailed& failed) const {
    out.u32(static_cast<uint32_t>(Kind::Failed));
    out.text(failed.step);
    out.u32(static_cast<uint32_t>(failed.error));
    out.text(failed.call);
    out.text(failed.subject);
    out.text(failed.hint);
  }
};

Ready read_ready(WireReader& in) {
  Ready ready;
  for (uint64_t left = in.u64(); left > 0; --left) {
    TimedStep step;
    step.name = in.text();
    step.microseconds = in.u64();
    ready.steps.push_back(std::move(step));
  }
  ready.landlock_abi = static_cast<int>(in.u32());
  ready.landlock_weakness = in.text();
  return ready;
}

SetupFailed read_failed(WireReader& in) {
  SetupFailed failed;
  failed.step = in.text();
  failed.error = static_cast<int>(in.u32());
  failed.call = in.text();
  failed.subject = in.text();
  failed.hint = in.text();
  return failed;
}

SetupReport read_report(WireReader& in) {
  switch (static_cast<Kind>(in.u32())) {
    case Kind::Cloned:
      return Cloned{static_cast<pid_t>(in.u32())};
    case Kind::Ready:
      return read_ready(in);
    case Kind::Failed:
      return read_failed(in);
  }
  throw Error(EBADMSG, "decode", "setup report");
}

}  // namespace

SetupFailed SetupFailed::from(const std::string& step, const Error& error) {
  return {.step = step,
          .error = error.code().value(),
          .call = error.call(),
          .subject = error.subject(),
          .hint = error.hint()};
}

std::vector<std::byte> encode(const SetupReport& report) {
  WireWriter out;
  std::visit(ReportWriter{out}, report);
  return {out.message().begin(), out.message().end()};
}

SetupReport decode_setup_report(std::span<const std::byte> payload) {
  WireReader in(payload);
  SetupReport report = read_report(in);
  in.finish();
  return report;
}

}  // namespace sandbox
