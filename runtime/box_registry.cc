#include "runtime/box_registry.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <tuple>
#include <variant>

#include "proc/control_call.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::optional<SandboxCgroup> open_cgroup(const BoxRecord& record) {
  if (record.cgroup.empty()) return std::nullopt;
  return SandboxCgroup::open(record.cgroup);
}

// One of many sandboxes that are asked at once how they are.
struct Asked {
  BoxRecord record;
  pid_t host_pid = 0;
  ControlCall call;
  std::optional<SandboxCgroup> cgroup;
};

// Nothing for one that has just ended.
std::optional<Asked> ask(const RunDirectory& run, const std::string& id) {
  try {
    BoxRecord record = run.read_or_guess(id);
    const BoxConnection connection = run.connect(id);
    std::optional<SandboxCgroup> cgroup = open_cgroup(record);
    return Asked{.record = std::move(record),
                 .host_pid = connection.host_pid,
                 .call = ControlCall(connection.control, Describe{}),
                 .cgroup = std::move(cgroup)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<SandboxInfo> take_info(const Asked& asked,
                                     std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  try {
    const auto answer = asked.call.wait(std::max(left, std::chrono::milliseconds(0)));
    return make_info(asked.record, asked.host_pid, std::get<State>(answer.reply), asked.cgroup);
  } catch (const Error& error) {
    if (error.code().value() != ETIMEDOUT) return std::nullopt;
    return make_info(asked.record, asked.host_pid, std::nullopt, asked.cgroup);
  }
}

// It may end between being found and being asked.
UniqueFd ask_for_root(const MessageSocket& control, const std::string& id) try {
  ControlCall::Answer answer = ControlCall(control, GetRoot{}).wait(kInitPatience);
  if (answer.fds.size() != 1) throw Error(EBADMSG, "attach", id);
  return std::move(answer.fds.front());
} catch (const Error& error) {
  if (error.code().value() == EPIPE) throw_sandbox_ended(id);
  throw;
}

// Nothing also where the record or the cgroup is of no use: PID 1 can be killed without.
std::optional<SandboxCgroup> cgroup_of(const RunDirectory& run, const std::string& id) {
  try {
    return open_cgroup(run.read(id));
  } catch (const Error&) {
    return std::nullopt;
  }
}

// False when nobody is to be found there.
bool kill_box(const RunDirectory& run, const std::string& id) {
  try {
    const BoxConnection connection = run.connect(id);
    kill_sandbox(connection.pidfd.get(), cgroup_of(run, id), id);
    return true;
  } catch (const Error& error) {
    if (error.code().value() != ESRCH) throw;
    return false;
  }
}

}  // namespace

std::shared_ptr<SandboxCore> BoxRegistry::attach(const std::string& id_or_name) const {
  const std::string id = run_.find(id_or_name);
  BoxRecord record = run_.read(id);
  BoxConnection connection = run_.connect(id);
  UniqueFd root = ask_for_root(connection.control, id);
  std::optional<SandboxCgroup> cgroup = open_cgroup(record);
  auto core =
      std::make_shared<SandboxCore>(std::move(record), std::move(connection), std::move(root),
                                    watches_, std::move(cgroup), launcher_);
  core->run = run_;
  return core;
}

std::vector<SandboxInfo> BoxRegistry::list() const {
  std::vector<Asked> all;
  for (const std::string& id : run_.ids()) {
    if (std::optional<Asked> asked = ask(run_, id)) all.push_back(std::move(*asked));
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  std::vector<SandboxInfo> infos;
  for (const Asked& asked : all) {
    if (auto info = take_info(asked, deadline)) infos.push_back(std::move(*info));
  }
  std::sort(infos.begin(), infos.end(), [](const SandboxInfo& a, const SandboxInfo& b) {
    return std::tie(a.created, a.id) < std::tie(b.created, b.id);
  });
  return infos;
}

void BoxRegistry::destroy(const std::string& id_or_name) const {
  const std::string id = run_.find(id_or_name);
  const bool was_there = kill_box(run_, id);
  run_.remove(id);
  if (was_there || !run_.is_alive(id)) return;
  throw Error(EBUSY, "destroy", id,
              "its control socket has been removed: kill its PID 1, a process named sandbox-init");
}

}  // namespace sandbox
