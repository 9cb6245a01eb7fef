#include "runtime/sandboxctl/report.h"

#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/info.h"
#include "runtime/sandboxctl/signal_names.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;

const char* word_for(sandbox::TimeLimit limit) {
  switch (limit) {
    case sandbox::TimeLimit::Wall:
      return "wall";
    case sandbox::TimeLimit::Cpu:
      return "cpu";
    case sandbox::TimeLimit::Idle:
      return "idle";
  }
  return "";
}

struct OutcomeFields {
  ordered_json operator()(const sandbox::Exited& end) const {
    return {{"kind", "exited"}, {"code", end.code}};
  }
  ordered_json operator()(const sandbox::Signaled& end) const {
    return {{"kind", "signaled"},
            {"signal", end.signal},
            {"name", signal_name(end.signal)},
            {"core_dumped", end.core_dumped}};
  }
  ordered_json operator()(const sandbox::TimedOut& end) const {
    return {{"kind", "timed_out"}, {"limit", word_for(end.which)}};
  }
  ordered_json operator()(const sandbox::OutputLimit& end) const {
    return {{"kind", "output_limit"}, {"limit_bytes", end.limit_bytes}};
  }
  ordered_json operator()(const sandbox::OutOfMemory& end) const {
    return {{"kind", "out_of_memory"},
            {"limit_bytes", end.limit_bytes},
            {"peak_bytes", end.peak_bytes}};
  }
  ordered_json operator()(const sandbox::PidLimit& end) const {
    return {{"kind", "pid_limit"},
            {"limit", end.limit},
            {"refused", end.refused},
            {"code", end.exit_code}};
  }
  ordered_json operator()(const sandbox::DiskLimit& end) const {
    return {{"kind", "disk_limit"}, {"limit_bytes", end.limit_bytes}, {"code", end.exit_code}};
  }
  ordered_json operator()(const sandbox::SandboxGone&) const { return {{"kind", "sandbox_gone"}}; }
};

void add_stream(ordered_json& document, const std::string& name, const std::string& bytes) {
  const bool text = is_utf8(bytes);
  document[name] = text ? bytes : escape_bytes(bytes);
  document[name + "_encoding"] = text ? "utf-8" : "escaped";
}

ordered_json usage_fields(const sandbox::Usage& usage) {
  return {{"wall_us", usage.wall.count()},
          {"user_us", usage.user.count()},
          {"system_us", usage.system.count()},
          {"peak_memory_bytes", usage.peak_memory_bytes},
          {"voluntary_switches", usage.voluntary_switches},
          {"involuntary_switches", usage.involuntary_switches},
          {"read_bytes", usage.read_bytes},
          {"written_bytes", usage.written_bytes},
          {"sandbox_peak_memory_bytes", usage.sandbox_peak_memory_bytes},
          {"sandbox_peak_pids", usage.sandbox_peak_pids},
          {"oom_kills", usage.oom_kills},
          {"refused_forks", usage.refused_forks}};
}

ordered_json setup_fields(const sandbox::Sandbox& box) {
  ordered_json steps = ordered_json::array();
  for (const sandbox::SetupStep& step : box.setup_steps()) {
    steps.push_back({{"name", step.name}, {"elapsed_us", step.elapsed.count()}});
  }
  return steps;
}

std::string row(const std::string& name, const std::string& value) {
  std::string text = "  " + name;
  text.append(text.size() < 28 ? 28 - text.size() : 1, ' ');
  return text + value + "\n";
}

}  // namespace

ordered_json outcome_fields(const sandbox::Outcome& outcome) {
  return std::visit(OutcomeFields{}, outcome);
}

std::string result_document(const Ending& ending, const sandbox::Sandbox& box,
                            const CapturePump& out, const CapturePump& err) {
  ordered_json document;
  document["outcome"] = outcome_fields(ending.outcome);
  document["exit_code"] = ending.exit_code;
  add_stream(document, "stdout", out.text());
  add_stream(document, "stderr", err.text());
  document["dropped_bytes"] = out.dropped_bytes() + err.dropped_bytes() + ending.missing_bytes;
  document["usage"] = usage_fields(ending.usage);
  document["setup"] = setup_fields(box);
  document["isolation"] = isolation_fields(box);
  return dump(document);
}

std::string failure_document(const Failure& failure) {
  const Message& message = failure.message();
  ordered_json document;
  document["outcome"] = {{"kind", "failed"},
                         {"doing", message.doing},
                         {"subject", message.subject},
                         {"reason", message.reason},
                         {"hint", message.hint}};
  document["exit_code"] = failure.exit_code();
  return dump(document);
}

std::string explanation(const sandbox::Sandbox& box, const sandbox::Command& command) {
  std::string text = "what holds for the command\n";
  for (const sandbox::IsolationLayer& layer : box.isolation()) {
    const std::string note = layer.note.empty() ? "" : " (" + layer.note + ")";
    text += row(layer.name, escape_for_terminal(layer.effective + note));
  }
  text += row("time limit", command.timeout ? format_duration(*command.timeout) : "none");
  return text;
}

std::string statistics(const Ending& ending, const sandbox::Sandbox& box) {
  const sandbox::Usage& usage = ending.usage;
  std::string text = escape_for_terminal(sandbox::to_string(ending.outcome)) + "\n";
  text += row("wall time", format_duration(usage.wall));
  text += row("user time", format_duration(usage.user));
  text += row("system time", format_duration(usage.system));
  text += row("peak memory", format_size(usage.peak_memory_bytes));
  if (usage.sandbox_peak_memory_bytes != 0) {
    text += row("peak memory, sandbox", format_size(usage.sandbox_peak_memory_bytes));
  }
  if (usage.sandbox_peak_pids != 0) {
    text += row("peak processes, sandbox", std::to_string(usage.sandbox_peak_pids));
  }
  if (usage.oom_kills != 0) text += row("killed, out of memory", std::to_string(usage.oom_kills));
  if (usage.refused_forks != 0) {
    text += row("processes refused", std::to_string(usage.refused_forks));
  }
  text += row("read from disks", format_size(usage.read_bytes));
  text += row("written to disks", format_size(usage.written_bytes));
  text += row("switches, voluntary", std::to_string(usage.voluntary_switches));
  text += row("switches, involuntary", std::to_string(usage.involuntary_switches));
  text += "set-up\n";
  for (const sandbox::SetupStep& step : box.setup_steps()) {
    text += row(step.name, format_duration(step.elapsed));
  }
  return text;
}

}  // namespace sandboxctl
