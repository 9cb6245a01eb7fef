#include "sandbox/runtime.h"

#include <cerrno>
#include <utility>

#include "fs/fs_identity.h"
#include "fs/watch_hub.h"
#include "runtime/box_registry.h"
#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/kernel_version.h"
#include "runtime/launcher_client.h"
#include "runtime/run_directory.h"
#include "runtime/runtime_access.h"
#include "runtime/sandbox_core.h"
#include "runtime/sandbox_maker.h"
#include "sandbox/error.h"
#include "templates/template_cache.h"
#include "templates/template_source.h"

namespace sandbox {
namespace {

SandboxMaker::Shared make_shared_parts(const RuntimeOptions& options) {
  const HostIdentity identity = HostIdentity::of_caller();
  DataDirectory data(options.data_directory, identity);
  RunDirectory run(
      RunDirectory::locate(options.run_directory, options.data_directory, data.path(), identity));
  return {.identity = identity,
          .data = std::move(data),
          .run = std::move(run),
          .launcher = std::make_shared<LauncherClient>(identity.uid, identity.gid),
          .watches = std::make_shared<WatchHub>()};
}

}  // namespace

class Runtime::Impl {
 public:
  explicit Impl(const RuntimeOptions& options) : Impl(options, make_shared_parts(options)) {}

  std::shared_ptr<SandboxCore> create(const SandboxOptions& options) {
    maker_.prepare();
    const NameService names =
        options.network == Network::Host ? NameService::Host : NameService::None;
    return maker_.create(options, templates_.find(options.template_name, names),
                         Removal::BySandbox);
  }

  std::shared_ptr<SandboxCore> create_for_step(
      const SandboxOptions& options, const std::shared_ptr<const TemplateSource>& source) {
    return maker_.create(options, source, Removal::ByStepBox);
  }

  const BoxRegistry& boxes() const noexcept { return boxes_; }

  const std::shared_ptr<LauncherClient>& launcher() const noexcept { return launcher_; }

  std::vector<std::string> collect() {
    const HostIdentity& identity = data_.identity();
    const bool may_help = !identity.root_caller && has_subordinate_ids(identity);
    if (collect_dead_boxes(data_) > 0 && may_help) collect_boxes_of_ranges();
    return boxes_.collect();
  }

 private:
  Impl(const RuntimeOptions& options, const SandboxMaker::Shared& shared)
      : data_(shared.data),
        launcher_(shared.launcher),
        templates_(TemplateStore(data_.path() + "/templates")),
        boxes_(shared.run, shared.launcher, shared.watches),
        maker_(shared, options.cgroup, options.may_move_host) {
    collect_dead_boxes(data_);
  }

  // With the file agent of a sandbox that has the same ids as those that are dead.
  void collect_boxes_of_ranges() {
    const auto host = templates_.find("host", NameService::None);
    const auto core = create_for_step({.ids = Ids::Range}, host);
    const FsIdentity acting(core->files->owner("user"));
    collect_dead_boxes(data_);
  }

  DataDirectory data_;
  std::shared_ptr<LauncherClient> launcher_;
  TemplateCache templates_;
  BoxRegistry boxes_;
  SandboxMaker maker_;
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
  return Sandbox(impl_->boxes().attach(id_or_name));
}

std::shared_ptr<SandboxCore> RuntimeAccess::create(
    Runtime& runtime, const SandboxOptions& options,
    const std::shared_ptr<const TemplateSource>& source) {
  return runtime.impl_->create_for_step(options, source);
}

const std::shared_ptr<LauncherClient>& RuntimeAccess::launcher(const Runtime& runtime) {
  return runtime.impl_->launcher();
}

std::vector<SandboxInfo> Runtime::list() const { return impl_->boxes().list(); }
void Runtime::destroy(const std::string& id_or_name) { impl_->boxes().destroy(id_or_name); }
std::vector<std::string> Runtime::collect() { return impl_->collect(); }

}  // namespace sandbox
