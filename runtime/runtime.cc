#include "sandbox/runtime.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "fs/watch_hub.h"
#include "isolation/seccomp_filter.h"
#include "proc/control_call.h"
#include "runtime/creation.h"
#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/launcher_client.h"
#include "runtime/limit_plan.h"
#include "runtime/mount_guard.h"
#include "runtime/record_builder.h"
#include "runtime/run_directory.h"
#include "runtime/runtime_access.h"
#include "runtime/sandbox_cgroups.h"
#include "runtime/sandbox_core.h"
#include "runtime/sudo_layer.h"
#include "runtime/template_defaults.h"
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

void require_valid(const SandboxOptions& options) {
  if (!options.name.empty() && options.lifetime == Lifetime::Owned) {
    throw Error(EINVAL, "create", "name", "only detached sandboxes have one");
  }
}

IsolationFacts isolation_facts(const SandboxOptions& options, const IdPlan& ids,
                               bool upper_in_memory, const Ready& ready) {
  return {.requested_ids = options.ids,
          .effective_ids = ids.effective,
          .network = options.network,
          .profile = options.profile,
          .requested_upper = options.upper,
          .upper_in_memory = upper_in_memory,
          .landlock_abi = ready.landlock_abi,
          .landlock_weakness = ready.landlock_weakness};
}

std::vector<SetupStep> to_steps(const std::vector<TimedStep>& timed) {
  std::vector<SetupStep> steps;
  steps.reserve(timed.size());
  for (const TimedStep& step : timed) {
    steps.push_back({step.name, std::chrono::microseconds(step.microseconds)});
  }
  return steps;
}

// One of many sandboxes that are asked at once how they are.
struct Asked {
  BoxRecord record;
  pid_t host_pid = 0;
  std::optional<ControlCall> call = std::nullopt;
};

// Nothing for one that has just ended, or whose record is of no use.
std::optional<Asked> ask(const RunDirectory& run, const std::string& id) {
  try {
    Asked asked{.record = run.read(id)};
    const BoxConnection connection = run.connect(id);
    asked.host_pid = connection.host_pid;
    asked.call.emplace(connection.control, Describe{});
    return asked;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<SandboxInfo> take_info(const Asked& asked,
                                     std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  try {
    const auto answer = asked.call->wait(std::max(left, std::chrono::milliseconds(0)));
    return make_info(asked.record, asked.host_pid, std::get<State>(answer.reply));
  } catch (const Error& error) {
    if (error.code().value() != ETIMEDOUT) return std::nullopt;
    return make_info(asked.record, asked.host_pid, std::nullopt);
  }
}

// The limits of a sandbox that is being made.
struct Confinement {
  LimitPlan plan;
  std::optional<SandboxCgroup> cgroup{};
  std::vector<UniqueFd> for_init{};

  /// The descriptors that launch_request.h wants.
  std::vector<int> passed() const {
    std::vector<int> fds;
    for (const UniqueFd& fd : for_init) fds.push_back(fd.get());
    return fds;
  }
};

}  // namespace

class Runtime::Impl {
 public:
  explicit Impl(const RuntimeOptions& options)
      : identity_(HostIdentity::of_caller()),
        data_(options.data_directory, identity_),
        run_(RunDirectory::locate(options.run_directory, options.data_directory, data_.path(),
                                  identity_)),
        templates_(TemplateStore(data_.path() + "/templates")),
        skeletons_(data_.path() + "/skeletons", identity_.uid, identity_.gid),
        launcher_(std::make_shared<LauncherClient>(identity_.uid, identity_.gid)),
        cgroups_(options.cgroup, options.may_move_host) {
    collect_dead_boxes(data_);
  }

  std::shared_ptr<SandboxCore> create(const SandboxOptions& options) {
    require_valid(options);
    const NameService names =
        options.network == Network::Host ? NameService::Host : NameService::None;
    return create(options, templates_.find(options.template_name, names));
  }

  std::shared_ptr<SandboxCore> create(const SandboxOptions& given,
                                      const std::shared_ptr<const TemplateSource>& source) {
    const SandboxOptions options = with_template_defaults(given, *source);
    const IdPlan ids = plan_ids(options, source->accounts, identity_);
    std::optional<BoxDirectory> box = make_box_directory(options, ids);
    const bool owned = options.lifetime == Lifetime::Owned;
    return owned ? create_owned(options, *source, ids, box)
                 : create_detached(options, *source, ids, box);
  }

  std::shared_ptr<SandboxCore> attach(const std::string& id_or_name) const {
    const std::string id = run_.find(id_or_name);
    BoxRecord record = run_.read(id);
    BoxConnection connection = run_.connect(id);
    ControlCall::Answer answer = ControlCall(connection.control, GetRoot{}).wait(kInitPatience);
    if (answer.fds.size() != 1) throw Error(EBADMSG, "attach", id);
    std::optional<SandboxCgroup> cgroup;
    if (!record.cgroup.empty()) cgroup.emplace(SandboxCgroup::open(record.cgroup));
    auto core = std::make_shared<SandboxCore>(std::move(record), std::move(connection),
                                              std::move(answer.fds.front()), watches_,
                                              std::move(cgroup), launcher_);
    core->run = run_;
    return core;
  }

  std::vector<SandboxInfo> list() const {
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

  void destroy(const std::string& id_or_name) const {
    const std::string id = run_.find(id_or_name);
    try {
      kill_sandbox(run_.connect(id).pidfd.get(), id);
    } catch (const Error& error) {
      if (error.code().value() != ESRCH) throw;
    }
    run_.remove(id);
    collect_dead_boxes(data_);
  }

  std::vector<std::string> collect() const {
    collect_dead_boxes(data_);
    return run_.collect();
  }

 private:
  std::optional<BoxDirectory> make_box_directory(const SandboxOptions& options,
                                                 const IdPlan& ids) const {
    if (keep_changes_in_memory(options.upper)) return std::nullopt;
    require_removable(ids);
    return BoxDirectory(data_);
  }

  // What processes of other ids leave on a disk belongs to subordinate ids of the caller, who
  // cannot remove it from outside of their user namespace.
  void require_removable(const IdPlan& ids) const {
    if (ids.effective != Ids::Range || identity_.root_caller) return;
    throw Error(EOPNOTSUPP, "create", "ids: range",
                "the files of its other users could not be removed from a directory; keep the "
                "changes in memory, which takes Linux 6.6, or use `ids: single`");
  }

  std::shared_ptr<SandboxCore> create_owned(const SandboxOptions& options,
                                            const TemplateSource& source, const IdPlan& ids,
                                            std::optional<BoxDirectory>& box) {
    BoxRecord record = make_record(options, source, ids);
    record.id = make_sandbox_id();
    LaunchRequest request = make_request(options, source, ids, box);
    Confinement limits = impose_limits(options.limits, record, request);
    // Init holds what it gets as long as it lives: the lock that keeps a stored template.
    std::vector<int> passed = limits.passed();
    if (source.in_use) passed.push_back(source.in_use->get());
    Creation creation = launch(*launcher_, request, passed);
    auto core =
        assemble(std::move(record), options, ids, request, std::move(creation), std::move(limits));
    core->box = std::move(box);
    return core;
  }

  // It is ours until it is on record; were we killed before, it would end with us.
  std::shared_ptr<SandboxCore> create_detached(const SandboxOptions& options,
                                               const TemplateSource& source, const IdPlan& ids,
                                               std::optional<BoxDirectory>& box) {
    run_.collect();
    BoxPlace place = run_.make_place(options.name);
    LaunchRequest request = make_request(options, source, ids, box);
    request.has_listener = true;
    BoxRecord record = make_record(options, source, ids);
    record.id = place.id();
    if (box) record.box_directory = box->path();
    Confinement limits = impose_limits(options.limits, record, request);
    std::vector<int> passed{place.socket()};
    for (const int fd : limits.passed()) passed.push_back(fd);
    passed.push_back(place.lock());
    if (box) passed.push_back(box->lock());
    if (source.in_use) passed.push_back(source.in_use->get());
    Creation creation = launch(*launcher_, request, passed);
    auto core =
        assemble(std::move(record), options, ids, request, std::move(creation), std::move(limits));
    place.write(core->record);
    ControlCall(core->commands->control, Release{}).wait(kInitPatience);
    core->run = run_;
    place.keep();
    if (box) box->keep();
    if (core->cgroup) core->cgroup->release();
    return core;
  }

  LaunchRequest make_request(const SandboxOptions& options, const TemplateSource& source,
                             const IdPlan& ids, const std::optional<BoxDirectory>& box) const {
    LaunchRequest request;
    request.root.lowerdirs = source.step_layers;
    request.root.lowerdirs.push_back(skeletons_.get(source));
    for (const HostPath& layer : source.lowerdirs) request.root.lowerdirs.push_back(layer);
    request.root.read_only_trees = source.read_only_trees;
    if (takes_sudo_layer(source)) request.root.tools = skeletons_.get(sudo_layer_);
    request.root.has_sudo = ids.effective == Ids::Range;
    request.sudo_user = source.accounts.find("user").value().uid;
    if (box) request.root.upper_directory = HostPath::look_up(box->path());
    for (const Mount& mount : options.mounts) {
      HostPath host_path = HostPath::look_up(mount.source);
      require_not_exposed(host_path, data_.path());
      require_not_exposed(host_path, run_.path());
      request.root.binds.push_back({.source = std::move(host_path),
                                    .target = mount.target,
                                    .read_only = mount.access == Access::ReadOnly});
    }
    constexpr uint32_t kTtyGroup = 5;
    request.root.tty_group_mapped = id_outside(ids.map.gids(), kTtyGroup).has_value();
    request.ids = ids.map;
    request.map_writer = ids.writer;
    request.own_network = options.network == Network::None;
    request.ttl_ms = ttl_in_ms(options.ttl);
    const SeccompFilter& filter = seccomp_filter(options.profile);
    request.allow_filter = to_vector(filter.allow);
    request.deny_filter = to_vector(filter.deny);
    return request;
  }

  // Makes the cgroup, before anything runs that it is to limit.
  Confinement impose_limits(const Limits& limits, BoxRecord& record, LaunchRequest& request) {
    Confinement made{.plan = plan_limits(limits, !request.root.upper_directory)};
    LimitPlan& plan = made.plan;
    if (plan.needs_cgroup) {
      made.cgroup.emplace(cgroups_.make(plan, record.id, launcher_->pid()));
      made.for_init = made.cgroup->descriptors_for_init();
      record.cgroup = made.cgroup->path();
      request.has_cgroup = true;
    }
    request.limits = record.limits = plan.known;
    request.rlimits = plan.rlimits;
    request.root.scratch_size = plan.scratch;
    return made;
  }

  std::shared_ptr<SandboxCore> assemble(BoxRecord record, const SandboxOptions& options,
                                        const IdPlan& ids, const LaunchRequest& request,
                                        Creation creation, Confinement limits) const {
    const bool in_memory = !request.root.upper_directory;
    record.volumes = find_volumes(creation.root.get(), request.root);
    IsolationFacts facts = isolation_facts(options, ids, in_memory, creation.ready);
    facts.limits = limits.plan.known;
    facts.cgroup_limits = limits.plan.cgroup;
    facts.rlimits = limits.plan.rlimits;
    record.layers = describe_isolation(facts);
    auto core = std::make_shared<SandboxCore>(std::move(record),
                                              BoxConnection{.control = std::move(creation.control),
                                                            .host_pid = creation.host_pid,
                                                            .pidfd = std::move(creation.pidfd)},
                                              std::move(creation.root), watches_,
                                              std::move(limits.cgroup), launcher_);
    core->steps = to_steps(creation.ready.steps);
    return core;
  }

  HostIdentity identity_;
  DataDirectory data_;
  RunDirectory run_;
  TemplateCache templates_;
  SkeletonStore skeletons_;
  TemplateSource sudo_layer_ = sudo_layer();
  std::shared_ptr<LauncherClient> launcher_;
  SandboxCgroups cgroups_;
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

Sandbox Runtime::attach(const std::string& id_or_name) {
  return Sandbox(impl_->attach(id_or_name));
}

std::shared_ptr<SandboxCore> RuntimeAccess::create(
    Runtime& runtime, const SandboxOptions& options,
    const std::shared_ptr<const TemplateSource>& source) {
  return runtime.impl_->create(options, source);
}

std::vector<SandboxInfo> Runtime::list() const { return impl_->list(); }
void Runtime::destroy(const std::string& id_or_name) { impl_->destroy(id_or_name); }
std::vector<std::string> Runtime::collect() { return impl_->collect(); }

}  // namespace sandbox
