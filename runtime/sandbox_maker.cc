#include "runtime/sandbox_maker.h"

#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include "proc/control_call.h"
#include "runtime/creation.h"
#include "runtime/kernel_version.h"
#include "runtime/limit_plan.h"
#include "runtime/record_builder.h"
#include "runtime/template_defaults.h"
#include "runtime/template_start.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

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

// For whom has set no limit.
Error blame_template(const Error& error, const SandboxOptions& options) {
  const std::string hint = "the template " + options.template_name +
                           " asks for it, under `limits` of its manifest; a limit of your own "
                           "takes its place, and --no-template-limits leaves all of them out";
  return {error.code().value(), error.call(), error.subject(),
          error.hint().empty() ? hint : error.hint() + "; " + hint};
}

}  // namespace

// What a sandbox is made of, with all that its template has to say about it.
struct SandboxMaker::Plan {
  SandboxOptions options;
  const TemplateSource& source;
  IdPlan ids;
  bool has_limits_of_template = false;

  // Runs what the template starts, and waits until that is ready.
  void start(SandboxCore& core) const {
    const TemplateConfig& config = source.config;
    if (!options.with_start || (config.start.empty() && !config.ready)) return;
    const auto begin = std::chrono::steady_clock::now();
    start_template(core, config);
    core.steps.push_back({"start", std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - begin)});
  }
};

// The limits of a sandbox that is being made.
struct SandboxMaker::Confinement {
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

SandboxMaker::SandboxMaker(Shared shared, std::string cgroup, bool may_move_host)
    : identity_(shared.identity),
      data_(shared.data),
      run_(shared.run),
      launcher_(std::move(shared.launcher)),
      watches_(std::move(shared.watches)),
      requests_(data_.path(), run_.path(), identity_),
      cgroups_(std::move(cgroup), may_move_host) {}

std::shared_ptr<SandboxCore> SandboxMaker::create(
    const SandboxOptions& given, const std::shared_ptr<const TemplateSource>& source,
    Removal removal) {
  require_valid(given);
  Plan plan{.options = with_template_defaults(given, *source), .source = *source, .ids = {}};
  plan.has_limits_of_template = plan.options.limits != given.limits;
  const Ids ids = choose_ids(plan.options, *source);
  plan.ids = plan_ids(ids, plan.options.user, source->accounts, identity_);
  std::optional<BoxDirectory> box = make_box_directory(plan, removal);
  const bool owned = plan.options.lifetime == Lifetime::Owned;
  return owned ? create_owned(plan, box) : create_detached(plan, box);
}

// What Ids::Auto is: a range where the template wants one and this caller can have it.
Ids SandboxMaker::choose_ids(const SandboxOptions& options, const TemplateSource& source) const {
  if (options.ids != Ids::Auto) return options.ids;
  const bool removable = identity_.root_caller || keep_changes_in_memory(options);
  const bool wanted = source.config.ids == Ids::Range;
  return wanted && removable && has_subordinate_ids(identity_) ? Ids::Range : Ids::Single;
}

std::optional<BoxDirectory> SandboxMaker::make_box_directory(const Plan& plan,
                                                             Removal removal) const {
  if (keep_changes_in_memory(plan.options)) return std::nullopt;
  if (removal == Removal::BySandbox) require_removable(plan.ids);
  return BoxDirectory(data_);
}

// What processes of other ids leave on a disk belongs to subordinate ids of the caller, who
// cannot remove it from outside of their user namespace.
void SandboxMaker::require_removable(const IdPlan& ids) const {
  if (ids.effective != Ids::Range || identity_.root_caller) return;
  throw Error(EOPNOTSUPP, "create", "ids: range",
              "the files of its other users could not be removed from a directory; keep the "
              "changes in memory, which takes Linux 6.6, or use `ids: single`");
}

std::shared_ptr<SandboxCore> SandboxMaker::create_owned(const Plan& plan,
                                                        std::optional<BoxDirectory>& box) {
  BoxRecord record = make_record(plan.options, plan.source, plan.ids);
  record.id = make_sandbox_id();
  LaunchRequest request = requests_.build(plan.options, plan.source, plan.ids, box);
  Confinement limits = impose_limits(plan, box, record, request);
  // Init holds what it gets as long as it lives: the lock that keeps a stored template.
  std::vector<int> passed = limits.passed();
  if (plan.source.in_use) passed.push_back(plan.source.in_use->get());
  Creation creation = launch(*launcher_, request, passed);
  auto core = assemble(std::move(record), plan, request, std::move(creation), std::move(limits));
  core->box = std::move(box);
  plan.start(*core);
  return core;
}

// It is ours until it is on record; were we killed before, it would end with us.
std::shared_ptr<SandboxCore> SandboxMaker::create_detached(const Plan& plan,
                                                           std::optional<BoxDirectory>& box) {
  run_.collect();
  BoxPlace place = run_.make_place(plan.options.name);
  LaunchRequest request = requests_.build(plan.options, plan.source, plan.ids, box);
  request.has_listener = true;
  BoxRecord record = make_record(plan.options, plan.source, plan.ids);
  record.id = place.id();
  if (box) record.box_directory = box->path();
  Confinement limits = impose_limits(plan, box, record, request);
  std::vector<int> passed{place.socket()};
  for (const int fd : limits.passed()) passed.push_back(fd);
  passed.push_back(place.lock());
  if (box) passed.push_back(box->lock());
  if (plan.source.in_use) passed.push_back(plan.source.in_use->get());
  Creation creation = launch(*launcher_, request, passed);
  auto core = assemble(std::move(record), plan, request, std::move(creation), std::move(limits));
  plan.start(*core);
  place.write(core->record);
  ControlCall(core->commands->control, Release{}).wait(kInitPatience);
  core->run = run_;
  place.keep();
  if (box) box->keep();
  if (core->cgroup) core->cgroup->release();
  return core;
}

SandboxMaker::Confinement SandboxMaker::impose_limits(const Plan& plan,
                                                      const std::optional<BoxDirectory>& box,
                                                      BoxRecord& record,
                                                      LaunchRequest& request) try {
  return impose_limits(plan.options, box, record, request);
} catch (const Error& error) {
  if (!plan.has_limits_of_template) throw;
  throw blame_template(error, plan.options);
}

// Makes the cgroup, before anything runs that it is to limit.
SandboxMaker::Confinement SandboxMaker::impose_limits(const SandboxOptions& options,
                                                      const std::optional<BoxDirectory>& box,
                                                      BoxRecord& record, LaunchRequest& request) {
  Confinement made{.plan = plan_limits(options.limits, box ? box->path() : std::string())};
  LimitPlan& plan = made.plan;
  if (plan.needs_cgroup || options.ttl_action == TtlAction::Pause) {
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

std::shared_ptr<SandboxCore> SandboxMaker::assemble(BoxRecord record, const Plan& plan,
                                                    const LaunchRequest& request, Creation creation,
                                                    Confinement limits) const {
  const bool in_memory = !request.root.upper_directory;
  record.volumes = find_volumes(creation.root.get(), request.root);
  IsolationFacts facts = isolation_facts(plan.options, plan.ids, in_memory, creation.ready);
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

}  // namespace sandbox
