#include "runtime/sandbox_step_runner.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/runtime_access.h"
#include "sandbox/commands.h"
#include "sandbox/error.h"
#include "sandbox/files.h"
#include "templates/upper_layer.h"

namespace sandbox {
namespace {

std::string describe(const Outcome& outcome) {
  if (const auto* exited = std::get_if<Exited>(&outcome)) {
    return "it exited with " + std::to_string(exited->code);
  }
  if (const auto* signaled = std::get_if<Signaled>(&outcome)) {
    return "signal " + std::to_string(signaled->signal) + " killed it";
  }
  return "its sandbox was killed";
}

// One step in its sandbox.
class StepInSandbox {
 public:
  StepInSandbox(const Step& step, SandboxCore& core,
                std::function<void(std::string_view)> on_output)
      : step_(step),
        files_(core.files),
        commands_(core.commands),
        on_output_(std::move(on_output)) {}

  void operator()(const RunStep& step) { run({"/bin/sh", "-c", step.command}); }
  void operator()(const CopyStep& step) { files_.upload(step.from, step.to); }
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
    std::vector<std::string> argv{"pip", "install", "--no-input", "--"};
    if (step.manager == InstallStep::Manager::Npm) argv = {"npm", "install", "--global", "--"};
    argv.insert(argv.end(), step.packages.begin(), step.packages.end());
    run(std::move(argv));
  }
  // The builder knows what these mean.
  void operator()(const UserStep&) {}
  void operator()(const WorkdirStep&) {}
  void operator()(const EnvStep&) {}

 private:
  void run(std::vector<std::string> argv) {
    constexpr std::size_t kTail = 2000;
    std::string tail;
    Process process = commands_.start({.argv = std::move(argv)});
    process.stream([&](Stream, std::string_view chunk) {
      if (on_output_) on_output_(chunk);
      tail.append(chunk);
      if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
    });
    const Outcome outcome = process.wait();
    if (outcome == Outcome(Exited{0})) return;
    while (tail.ends_with('\n')) tail.pop_back();
    throw Error(ECANCELED, "run", step_.place,
                describe(outcome) + (tail.empty() ? "" : "; it printed: ") + tail);
  }

  const Step& step_;
  Files files_;
  Commands commands_;
  std::function<void(std::string_view)> on_output_;
};

SandboxOptions options_of(const StepContext& context) {
  SandboxOptions options;
  // On a disk, in the file system of the store, so that it becomes a layer by a rename.
  options.upper = Upper::Directory;
  options.ids = Ids::Single;
  if (context.network == "host") options.network = Network::Host;
  if (context.profile == "strict") options.profile = Profile::Strict;
  if (context.profile == "dev") options.profile = Profile::Dev;
  return options;
}

// Names at the top that something was mounted on.
std::vector<std::string> covered(const TemplateSource& source) {
  std::vector<std::string> names{"dev", "proc", "sys"};
  for (const ReadOnlyTree& tree : source.read_only_trees) names.push_back(tree.target);
  return names;
}

void move_upper(const BoxDirectory& box, const LayerDraft& draft) {
  const std::string tree = draft.tree();
  const std::string upper = box.path() + "/upper";
  check(::rmdir(tree.c_str()), "rmdir", tree);
  check(::rename(upper.c_str(), tree.c_str()), "rename", upper);
}

}  // namespace

RecordedStatuses SandboxStepRunner::run(const Step& step, const StepContext& context,
                                        const LayerDraft& draft) {
  const NameService names = context.network == "host" ? NameService::Host : NameService::None;
  const auto source =
      std::make_shared<const TemplateSource>(stored_template(context.so_far, names, store_));
  const auto core = RuntimeAccess::create(runtime_, options_of(context), source);
  std::visit(StepInSandbox(step, *core, on_output_), step.action);
  // Ended before its upperdir is touched: overlayfs.rst, "Changes to underlying filesystems".
  BoxDirectory box = std::move(core->box.value());
  core->box.reset();
  core->destroy();
  move_upper(box, draft);
  return adopt_upper(draft.open_tree(), covered(*source));
}

}  // namespace sandbox
