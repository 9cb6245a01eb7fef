#include "runtime/sandbox_step_runner.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/output_tail.h"
#include "runtime/runtime_access.h"
#include "runtime/step_box.h"
#include "sandbox/commands.h"
#include "sandbox/error.h"
#include "sandbox/files.h"
#include "templates/copied_files.h"
#include "templates/upper_layer.h"

namespace sandbox {
namespace {

// One step in its sandbox.
class StepInSandbox {
 public:
  StepInSandbox(const Step& step, const StepContext& context, SandboxCore& core,
                std::function<void(std::string_view)> on_output)
      : step_(step),
        files_(core.files),
        commands_(core.commands),
        on_output_(std::move(on_output)) {
    const bool fetches = std::holds_alternative<InstallStep>(step.action);
    if (fetches && context.network != "host") {
      remedy_ = "; steps have no network unless the manifest has `network: host`";
    }
  }

  void operator()(const RunStep& step) { run({.argv = {"/bin/sh", "-c", step.command}}); }
  void operator()(const CopyStep& step) {
    const CopiedFiles copied = list_copied(step);
    if (copied.all) files_.upload(step.from, step.to);
    if (!copied.all) copy_some(step, copied);
  }
  void operator()(const WriteStep& step) {
    files_.write(step.path, step.content);
    files_.chmod(step.path, step.mode);
  }
  void operator()(const RemoveStep& step) { files_.remove(step.path); }
  void operator()(const MkdirStep& step) { files_.make_dir(step.path); }
  void operator()(const SymlinkStep& step) {
    const std::string parent = std::filesystem::path(step.path).parent_path();
    if (parent != "/") files_.make_dir(parent);
    files_.symlink(step.target, step.path);
  }
  void operator()(const InstallStep& step) {
    if (step.manager == InstallStep::Manager::Apt) return install_packages(step);
    std::vector<std::string> argv{"pip", "install", "--no-input", "--"};
    if (step.manager == InstallStep::Manager::Npm) argv = {"npm", "install", "--global", "--"};
    argv.insert(argv.end(), step.packages.begin(), step.packages.end());
    run({.argv = std::move(argv)});
  }
  // The builder knows what these mean.
  void operator()(const UserStep&) {}
  void operator()(const WorkdirStep&) {}
  void operator()(const EnvStep&) {}

 private:
  void copy_some(const CopyStep& step, const CopiedFiles& copied) {
    for (const std::string& name : copied.names) {
      const std::filesystem::path from = std::filesystem::path(step.from) / name;
      const std::filesystem::path to = std::filesystem::path(step.to) / name;
      const std::filesystem::file_status status = std::filesystem::symlink_status(from);
      if (std::filesystem::is_directory(status)) {
        files_.make_dir(to);
        files_.chmod(to, static_cast<mode_t>(status.permissions()) & 0777);
      } else {
        files_.upload(from, to);
      }
    }
  }

  // As root, whoever the step's user is. What is not on the disk after a crash is not a layer, so
  // dpkg need not wait for the disk.
  void install_packages(const InstallStep& step) {
    constexpr const char* kScript =
        "set -e; apt-get -q update; "
        "apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install -- "
        "\"$@\"; apt-get clean; rm -rf /var/lib/apt/lists/*";
    Command install{.argv = {"/bin/sh", "-c", kScript, "apt"},
                    .cwd = "/",
                    .env = {{"DEBIAN_FRONTEND", "noninteractive"}},
                    .user = "root"};
    install.argv.insert(install.argv.end(), step.packages.begin(), step.packages.end());
    run(install);
  }

  void run(const Command& command) {
    OutputTail tail;
    Process process = commands_.start(command);
    process.stream([&](Stream, std::string_view chunk) {
      if (on_output_) on_output_(chunk);
      tail.add(chunk);
    });
    const Outcome outcome = process.wait();
    if (outcome == Outcome(Exited{0})) return;
    throw Error(ECANCELED, "run", step_.place, "it " + to_string(outcome) + remedy_ + tail.told());
  }

  const Step& step_;
  Files files_;
  Commands commands_;
  std::function<void(std::string_view)> on_output_;
  std::string remedy_;
};

SandboxOptions options_of(const StepContext& context) {
  SandboxOptions options;
  // On a disk, in the file system of the store, so that it becomes a layer by a rename.
  options.upper = Upper::Directory;
  options.ids = context.ids;
  options.with_start = false;
  options.with_template_limits = false;  // Of its sandboxes, not of making it.
  take_isolation(context.network, context.profile, options);
  return options;
}

// Names at the top that something was mounted on.
std::vector<std::string> covered(const TemplateSource& source) {
  std::vector<std::string> names{"dev", "proc", "sys"};
  for (const ReadOnlyTree& tree : source.read_only_trees) names.push_back(tree.target);
  return names;
}

void move_upper(const std::string& upper, const LayerDraft& draft) {
  const std::string tree = draft.tree();
  check(::rmdir(tree.c_str()), "rmdir", tree);
  check(::rename(upper.c_str(), tree.c_str()), "rename", upper);
}

}  // namespace

void take_isolation(const std::string& network, const std::string& profile,
                    SandboxOptions& options) {
  if (network == "host") options.network = Network::Host;
  if (profile == "strict") options.profile = Profile::Strict;
  if (profile == "dev") options.profile = Profile::Dev;
}

RecordedStatuses SandboxStepRunner::run(const Step& step, const StepContext& context,
                                        const LayerDraft& draft) {
  const NameService names = context.network == "host" ? NameService::Host : NameService::None;
  const auto source =
      std::make_shared<const TemplateSource>(stored_template(context.so_far, names, store_));
  StepBox box(RuntimeAccess::create(runtime_, options_of(context), source),
              RuntimeAccess::launcher(runtime_));
  std::visit(StepInSandbox(step, context, box.core(), on_output_), step.action);
  RecordedStatuses recorded = box.finish();
  move_upper(box.upper(), draft);
  recorded.merge(adopt_upper(draft.open_tree(), covered(*source)));
  return recorded;
}

}  // namespace sandbox
