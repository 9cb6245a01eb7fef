#include "sandbox/sandbox.h"

#include <cerrno>
#include <utility>

#include "proc/control_call.h"
#include "runtime/describe_limits.h"
#include "runtime/sandbox_core.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

const char* name_of(Profile profile) {
  switch (profile) {
    case Profile::Default:
      return "profile default";
    case Profile::Strict:
      return "profile strict";
    case Profile::Dev:
      return "profile dev";
  }
  return "";
}

const char* name_of(Upper upper) {
  switch (upper) {
    case Upper::Auto:
      return "auto";
    case Upper::Memory:
      return "memory";
    case Upper::Directory:
      return "directory";
  }
  return "";
}

IsolationLayer describe_landlock(const IsolationFacts& facts) {
  if (!facts.landlock_weakness.empty()) return {"landlock", "on", "off", facts.landlock_weakness};
  const std::string abi = "ABI " + std::to_string(facts.landlock_abi);
  constexpr int kScopes = 6;
  if (facts.landlock_abi >= kScopes) return {"landlock", "on", "on", abi};
  return {"landlock", "on", "on", abi + ", without scopes for signals and abstract sockets"};
}

IsolationLayer describe_network(Network network) {
  if (network == Network::None) return {"network namespace", "on", "on", "loopback only"};
  return {"network namespace", "off", "off", "the host's network, loopback and abstract sockets"};
}

IsolationLayer describe_capabilities(Ids ids) {
  if (ids != Ids::Range) return {"capabilities", "none", "none", {}};
  return {"capabilities", "root inside", "root inside",
          "user: none; root: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETGID, "
          "SETUID; init also SETPCAP"};
}

}  // namespace

std::vector<IsolationLayer> describe_isolation(const IsolationFacts& facts) {
  std::vector<IsolationLayer> layers;
  for (const char* kind : {"user", "mount", "pid", "ipc", "uts", "cgroup"}) {
    layers.push_back({std::string(kind) + " namespace", "on", "on", {}});
  }
  layers.push_back(describe_network(facts.network));
  layers.push_back({"ids", to_string(facts.requested_ids), to_string(facts.effective_ids), {}});
  layers.push_back({"root", "overlay", "overlay", "nosuid, nodev, pivot_root"});
  layers.push_back({"changes",
                    name_of(facts.requested_upper),
                    facts.upper_in_memory ? "memory" : "directory",
                    {}});
  layers.push_back(describe_capabilities(facts.effective_ids));
  layers.push_back({"no_new_privs", "on", "on", {}});
  layers.push_back({"seccomp", name_of(facts.profile), name_of(facts.profile), {}});
  layers.push_back(describe_landlock(facts));
  add_limits(facts, layers);
  return layers;
}

Sandbox::Sandbox(std::shared_ptr<SandboxCore> core) noexcept : core_(std::move(core)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

const std::string& Sandbox::id() const noexcept { return core_->record.id; }

SandboxInfo Sandbox::info() const {
  const ControlCall call(core_->commands->control, Describe{});
  const ControlCall::Answer answer = call.wait(kInitPatience);
  return make_info(core_->record, core_->host_pid, std::get<State>(answer.reply), core_->cgroup);
}

void Sandbox::set_ttl(std::optional<std::chrono::milliseconds> ttl) {
  const ControlCall call(core_->commands->control, SetTtl{ttl_in_ms(ttl)});
  call.wait(kInitPatience);
}

Commands Sandbox::commands() const noexcept { return Commands(core_->commands); }
Files Sandbox::files() const { return Files(core_->files); }
std::vector<IsolationLayer> Sandbox::isolation() const { return core_->record.layers; }
const std::vector<SetupStep>& Sandbox::setup_steps() const noexcept { return core_->steps; }
pid_t Sandbox::host_pid() const noexcept { return core_->host_pid; }
int Sandbox::pidfd() const noexcept { return core_->pidfd.get(); }
bool Sandbox::has_directory() const noexcept {
  return core_->box || core_->cgroup || !core_->record.box_directory.empty();
}
void Sandbox::destroy() { core_->destroy(); }

}  // namespace sandbox
