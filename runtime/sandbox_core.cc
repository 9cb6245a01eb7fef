#include "runtime/sandbox_core.h"

#include <poll.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "fs/file_agent.h"
#include "isolation/id_map.h"
#include "proc/control_call.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// SIGKILL to PID 1 ends the whole namespace; longer takes only a process in the middle of I/O that
// does not return.
constexpr int kDestroyTimeoutMs = 10'000;

std::map<std::string, FileOwner> file_owners(const BoxRecord& record) {
  std::map<std::string, FileOwner> owners;
  for (const auto& [name, user] : record.users) {
    const auto uid = id_outside(record.names.uids, user.uid);
    const auto gid = id_outside(record.names.gids, user.gid);
    if (!uid || !gid) throw Error(EBADMSG, "read", "sandbox record", "a user without an id");
    owners.emplace(name, FileOwner{.name = name,
                                   .home = user.home,
                                   .host_uid = *uid,
                                   .host_gid = *gid,
                                   .uid = user.uid,
                                   .gid = user.gid});
  }
  return owners;
}

// The launcher may be that of another Runtime than the one that made the sandbox: its uid counts.
std::shared_ptr<FileAgent> make_agent(std::shared_ptr<const CommandContext> commands,
                                      std::shared_ptr<LauncherClient> launcher) {
  return std::make_shared<FileAgent>(
      [commands = std::move(commands), launcher = std::move(launcher)] {
        const ControlCall call(commands->control, GetNamespaces{});
        return launcher->start_file_agent(call.wait(kInitPatience).fds);
      });
}

std::shared_ptr<FilesContext> make_files(const BoxRecord& record, UniqueFd root,
                                         std::shared_ptr<WatchHub> watches,
                                         std::shared_ptr<FileAgent> agent) {
  FilesContext::Setup setup;
  setup.agent = std::move(agent);
  setup.root = std::move(root);
  setup.volumes = record.volumes;
  setup.users = file_owners(record);
  setup.default_user = record.default_user;
  setup.names = record.names;
  setup.hub = std::move(watches);
  return std::make_shared<FilesContext>(std::move(setup));
}

std::shared_ptr<EndWitness> make_witness(const std::optional<SandboxCgroup>& cgroup,
                                         const KnownLimits& limits) {
  if (!cgroup) return nullptr;
  return std::make_shared<EndWitness>(cgroup->open_memory_events(), cgroup->open_memory_peak(),
                                      limits.memory_bytes);
}

// It may be on its way out, and its cgroup gone.
void add_cgroup(const SandboxCgroup& cgroup, SandboxInfo& info) try {
  if (cgroup.frozen()) info.state = SandboxState::Paused;
  info.memory_bytes = cgroup.memory_bytes();
} catch (const Error&) {
}

}  // namespace

SandboxCore::SandboxCore(BoxRecord facts, BoxConnection connection, UniqueFd root,
                         std::shared_ptr<WatchHub> watches, std::optional<SandboxCgroup> own_cgroup,
                         std::shared_ptr<LauncherClient> launcher)
    : record(std::move(facts)),
      cgroup(std::move(own_cgroup)),
      witness(make_witness(cgroup, record.limits)),
      commands(
          std::make_shared<CommandContext>(CommandContext{.control = std::move(connection.control),
                                                          .users = record.users,
                                                          .default_user = record.default_user,
                                                          .witness = witness,
                                                          .env = record.env,
                                                          .default_cwd = record.default_cwd})),
      files(make_files(record, std::move(root), std::move(watches),
                       make_agent(commands, std::move(launcher)))),
      host_pid(connection.host_pid),
      pidfd(std::move(connection.pidfd)) {}

SandboxCore::~SandboxCore() {
  if (run) return;
  try {
    destroy();
  } catch (const Error&) {
    // It does not die, or its directory does not go: the next Runtime collects the directory.
  }
}

void SandboxCore::destroy() {
  if (!pidfd) return;
  files->close();
  const UniqueFd ending = std::move(pidfd);
  if (witness) witness->host_ends_it();
  kill_sandbox(ending.get(), cgroup, record.id);
  if (run) {
    run->remove(record.id);
    return;
  }
  if (cgroup) cgroup->remove();
  if (box) box->remove();
}

void kill_sandbox(int pidfd, const std::optional<SandboxCgroup>& cgroup, const std::string& id) {
  if (cgroup) cgroup->kill();
  // ESRCH: it has ended before.
  if (pidfd_send_signal(pidfd, SIGKILL) != 0 && errno != ESRCH) {
    throw Error(errno, "pidfd_send_signal", id);
  }
  pollfd end{pidfd, POLLIN, 0};
  int ready = -1;
  do {
    ready = ::poll(&end, 1, kDestroyTimeoutMs);
  } while (ready < 0 && errno == EINTR);
  if (check(ready, "poll", "sandbox") == 0) {
    throw Error(ETIMEDOUT, "destroy", id,
                "a process of the sandbox does not die: it is in uninterruptible sleep");
  }
}

uint64_t ttl_in_ms(const std::optional<std::chrono::milliseconds>& ttl) {
  if (ttl && ttl->count() <= 0) {
    throw Error(EINVAL, "set", "ttl", "a time to live is more than zero");
  }
  return ttl ? static_cast<uint64_t>(ttl->count()) : 0;
}

SandboxInfo make_info(const BoxRecord& record, pid_t host_pid, const std::optional<State>& state,
                      const std::optional<SandboxCgroup>& cgroup) {
  using std::chrono::milliseconds;
  using Clock = std::chrono::system_clock;
  SandboxInfo info;
  info.id = record.id;
  info.name = record.name;
  info.template_name = record.template_name;
  info.user = record.default_user;
  info.metadata = record.metadata;
  info.created = Clock::time_point(milliseconds(record.created_ms));
  info.ttl_action = record.ttl_action;
  info.host_pid = host_pid;
  if (cgroup) add_cgroup(*cgroup, info);
  if (!state) {
    info.state = SandboxState::Unresponsive;
    return info;
  }
  info.processes = state->processes;
  if (state->ttl_left_ms != 0) info.ends = Clock::now() + milliseconds(state->ttl_left_ms);
  return info;
}

}  // namespace sandbox
