#include "sandbox/runtime.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "fs/files_context.h"
#include "fs/watch_hub.h"
#include "isolation/seccomp_filter.h"
#include "runtime/base/syscalls.h"
#include "runtime/data_directory.h"
#include "runtime/explain.h"
#include "runtime/host_identity.h"
#include "runtime/launcher_client.h"
#include "runtime/sandbox_core.h"
#include "sandbox/error.h"
#include "templates/skeleton_store.h"
#include "templates/template_cache.h"
#include "templates/template_source.h"

namespace sandbox {
namespace {

constexpr int kFloorMajor = 5;
constexpr int kFloorMinor = 15;

struct KernelVersion {
  int major = 0;
  int minor = 0;
  bool operator<(const KernelVersion& other) const {
    return std::pair(major, minor) < std::pair(other.major, other.minor);
  }
};

KernelVersion kernel_version() {
  utsname name{};
  check(::uname(&name), "uname");
  KernelVersion version;
  if (std::sscanf(name.release, "%d.%d", &version.major, &version.minor) != 2) {
    throw Error(EINVAL, "uname", name.release);
  }
  return version;
}

void require_kernel() {
  if (kernel_version() < KernelVersion{kFloorMajor, kFloorMinor}) {
    throw Error(ENOSYS, "uname", "kernel", "sandboxes need Linux 5.15; 6.6 or later is better");
  }
}

// A directory where a tmpfs cannot be an upper layer: scratch.h.
bool keep_changes_in_memory(Upper upper) {
  if (upper != Upper::Auto) return upper == Upper::Memory;
  constexpr KernelVersion kUserXattrsOnTmpfs{6, 6};
  return !(kernel_version() < kUserXattrsOnTmpfs);
}

std::vector<std::byte> to_vector(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

// The host's id for one inside, where it has one.
std::optional<uint32_t> id_outside(const std::vector<IdMapping>& mappings, uint32_t inside) {
  for (const IdMapping& m : mappings) {
    if (inside >= m.inside && inside - m.inside < m.count) return m.outside + (inside - m.inside);
  }
  return std::nullopt;
}

[[noreturn]] void throw_setup_error(const SetupFailed& failed) {
  throw Error(failed.error, failed.call, failed.subject, explain(failed));
}

// What launcher and init have answered so far.
struct Creation {
  std::optional<Cloned> cloned;
  UniqueFd pidfd;
  std::optional<Ready> ready;
  UniqueFd root;
};

void take_report(Message message, Creation& creation) {
  SetupReport report = decode_setup_report(message.payload);
  if (const auto* failed = std::get_if<SetupFailed>(&report)) throw_setup_error(*failed);
  if (message.fds.size() != 1) throw Error(EBADMSG, "create", "setup report");
  if (auto* ready = std::get_if<Ready>(&report)) {
    creation.ready = std::move(*ready);
    creation.root = std::move(message.fds.front());
  } else {
    creation.cloned = std::get<Cloned>(report);
    creation.pidfd = std::move(message.fds.front());
  }
}

// Init may be ready before the launcher has told of it.
Creation await_creation(const MessageSocket& control) {
  Creation creation;
  while (!creation.cloned || !creation.ready) {
    std::optional<Message> message = control.receive();
    if (!message) {
      throw Error(EPIPE, "create", "sandbox", "the launcher or the new sandbox was killed");
    }
    take_report(std::move(*message), creation);
  }
  return creation;
}

std::map<std::string, CommandUser> command_users(const Accounts& accounts, const IdPlan& ids) {
  std::map<std::string, CommandUser> users;
  for (const Account& account : accounts.all()) {
    if (!id_outside(ids.map.uids(), account.uid)) continue;
    if (!id_outside(ids.map.gids(), account.gid)) continue;
    users.emplace(account.name, CommandUser{.uid = account.uid,
                                            .gid = account.gid,
                                            .groups = accounts.supplementary_groups(account.name),
                                            .home = account.home});
  }
  return users;
}

// The mounts of the sandbox besides its root that hold ordinary files. Looked up before any command
// has run, so they are what init mounted.
std::vector<UniqueFd> open_volumes(int root, const RootRequest& request) {
  std::vector<std::string> paths{"/dev/shm"};
  for (const ReadOnlyTree& tree : request.read_only_trees) paths.push_back(tree.target);
  for (const BindMount& bind : request.binds) paths.push_back(bind.target);
  std::vector<UniqueFd> volumes;
  volumes.reserve(paths.size());
  for (const std::string& path : paths) {
    const int fd = openat2(root, path.c_str(), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    volumes.emplace_back(check(fd, "openat2", path));
  }
  return volumes;
}

std::vector<IdNames::Range> to_ranges(const std::vector<IdMapping>& mappings) {
  std::vector<IdNames::Range> ranges;
  ranges.reserve(mappings.size());
  for (const IdMapping& m : mappings) ranges.push_back({m.inside, m.outside, m.count});
  return ranges;
}

IdNames make_names(const Accounts& accounts, const IdMap& map) {
  IdNames names;
  names.uids = to_ranges(map.uids());
  names.gids = to_ranges(map.gids());
  for (const Account& account : accounts.all()) {
    names.users.emplace(account.uid, account.name);
    names.groups.emplace(account.gid, account.name);
  }
  return names;
}

}  // namespace

class Runtime::Impl {
 public:
  explicit Impl(const RuntimeOptions& options)
      : identity_(HostIdentity::of_caller()),
        data_(options.data_directory, identity_),
        skeletons_(data_.path() + "/skeletons", identity_.uid, identity_.gid),
        launcher_(identity_.uid, identity_.gid) {
    collect_dead_boxes(data_);
  }

  std::shared_ptr<SandboxCore> create(const SandboxOptions& options) {
    const NameService names =
        options.network == Network::Host ? NameService::Host : NameService::None;
    const std::shared_ptr<const TemplateSource> source =
        templates_.find(options.template_name, names);
    const IdPlan ids = plan_ids(options, source->accounts, identity_);
    auto core = std::make_shared<SandboxCore>();
    const LaunchRequest request = make_request(options, *source, ids, *core);

    auto [ours, theirs] = MessageSocket::pair();
    launcher_.launch(request, theirs.fd());
    theirs = MessageSocket();
    Creation creation = await_creation(ours);
    finish(*core, options, source->accounts, ids, request, std::move(ours), std::move(creation));
    return core;
  }

 private:
  // What processes of other ids leave on a disk belongs to subordinate ids of the caller, who
  // cannot remove it from outside of their user namespace.
  void require_removable(const IdPlan& ids) const {
    if (ids.effective != Ids::Range || identity_.root_caller) return;
    throw Error(EOPNOTSUPP, "create", "ids: range",
                "the files of its other users could not be removed from a directory; keep the "
                "changes in memory, which takes Linux 6.6, or use `ids: single`");
  }

  LaunchRequest make_request(const SandboxOptions& options, const TemplateSource& source,
                             const IdPlan& ids, SandboxCore& core) const {
    LaunchRequest request;
    request.root.lowerdirs.push_back(skeletons_.get(source));
    for (const HostPath& layer : source.lowerdirs) request.root.lowerdirs.push_back(layer);
    request.root.read_only_trees = source.read_only_trees;
    if (!keep_changes_in_memory(options.upper)) {
      require_removable(ids);
      core.box.emplace(data_);
      request.root.upper_directory = HostPath::look_up(core.box->path());
    }
    for (const Mount& mount : options.mounts) {
      request.root.binds.push_back({.source = HostPath::look_up(mount.source),
                                    .target = mount.target,
                                    .read_only = mount.access == Access::ReadOnly});
    }
    constexpr uint32_t kTtyGroup = 5;
    request.root.tty_group_mapped = id_outside(ids.map.gids(), kTtyGroup).has_value();
    request.ids = ids.map;
    request.map_writer = ids.writer;
    request.own_network = options.network == Network::None;
    const SeccompFilter& filter = seccomp_filter(options.profile);
    request.allow_filter = to_vector(filter.allow);
    request.deny_filter = to_vector(filter.deny);
    return request;
  }

  void finish(SandboxCore& core, const SandboxOptions& options, const Accounts& accounts,
              const IdPlan& ids, const LaunchRequest& request, MessageSocket control,
              Creation creation) const {
    core.host_pid = creation.cloned->host_pid;
    core.pidfd = std::move(creation.pidfd);
    for (TimedStep& step : creation.ready->steps) {
      core.steps.push_back({std::move(step.name), std::chrono::microseconds(step.microseconds)});
    }
    core.layers = describe_isolation({.requested_ids = options.ids,
                                      .effective_ids = ids.effective,
                                      .network = options.network,
                                      .profile = options.profile,
                                      .requested_upper = options.upper,
                                      .upper_in_memory = !core.box,
                                      .landlock_abi = creation.ready->landlock_abi,
                                      .landlock_weakness = creation.ready->landlock_weakness});
    core.files = make_files(options, accounts, ids, request, std::move(creation.root));
    core.commands =
        std::make_shared<CommandContext>(CommandContext{.control = std::move(control),
                                                        .users = command_users(accounts, ids),
                                                        .default_user = options.user,
                                                        .env = options.env});
  }

  std::shared_ptr<FilesContext> make_files(const SandboxOptions& options, const Accounts& accounts,
                                           const IdPlan& ids, const LaunchRequest& request,
                                           UniqueFd root) const {
    const std::vector<UniqueFd> volumes = open_volumes(root.get(), request.root);
    FilesContext::Setup setup;
    for (const UniqueFd& volume : volumes) setup.volumes.push_back(volume.get());
    setup.root = std::move(root);
    setup.hub = watches_;
    setup.default_user = options.user;
    setup.names = make_names(accounts, ids.map);
    for (const auto& [name, user] : command_users(accounts, ids)) {
      setup.users.emplace(name, FileOwner{.name = name,
                                          .home = user.home,
                                          .host_uid = *id_outside(ids.map.uids(), user.uid),
                                          .host_gid = *id_outside(ids.map.gids(), user.gid)});
    }
    return std::make_shared<FilesContext>(std::move(setup));
  }

  HostIdentity identity_;
  DataDirectory data_;
  TemplateCache templates_;
  SkeletonStore skeletons_;
  LauncherClient launcher_;
  std::shared_ptr<WatchHub> watches_ = std::make_shared<WatchHub>();
};

Runtime::Runtime(const RuntimeOptions& options) {
  require_kernel();
  impl_ = std::make_unique<Impl>(options);
}

Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Sandbox Runtime::create(const SandboxOptions& options) { return Sandbox(impl_->create(options)); }

}  // namespace sandbox
