#include "runtime/step_box.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "fs/file_agent.h"
#include "fs/fs_identity.h"
#include "fs/take_over.h"
#include "proc/control_call.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr mode_t kSetId = S_ISUID | S_ISGID;

UniqueFd open_top(const std::string& path) {
  UniqueFd top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  check(top.get(), "open", path);
  return top;
}

uint32_t id_inside(const std::vector<IdNames::Range>& ranges, uint32_t outside) {
  constexpr uint32_t kNobody = 65534;  // As user_namespaces(7) has it.
  for (const IdNames::Range& range : ranges) {
    const uint32_t offset = outside - range.outside;
    if (outside >= range.outside && offset < range.count) return range.inside + offset;
  }
  return kNobody;
}

// False when everything it writes is the caller's own.
bool has_range(const SandboxCore& core) {
  const auto& ranges = core.record.names.uids;
  return ranges.size() > 1 || ranges.front().count > 1;
}

// Root of the host needs nobody's help.
std::shared_ptr<FileAgent> make_agent(const SandboxCore& core,
                                      const std::shared_ptr<LauncherClient>& launcher) {
  if (::geteuid() == 0 || !has_range(core)) return nullptr;
  ControlCall::Answer namespaces =
      ControlCall(core.commands->control, GetNamespaces{}).wait(kInitPatience);
  return std::make_shared<FileAgent>(
      [launcher, fds = std::make_shared<std::vector<UniqueFd>>(std::move(namespaces.fds))] {
        return launcher->start_file_agent(*fds);
      });
}

FileOwner owner_of_all(const SandboxCore& core, const std::shared_ptr<LauncherClient>& launcher) {
  FileOwner owner = core.files->owner("user");
  owner.agent = make_agent(core, launcher);
  owner.agent_only = false;
  return owner;
}

}  // namespace

StepBox::StepBox(std::shared_ptr<SandboxCore> core, const std::shared_ptr<LauncherClient>& launcher)
    : core_(std::move(core)), user_(owner_of_all(*core_, launcher)) {}

StepBox::~StepBox() {
  try {
    if (!box_) finish();
    box_->remove();
  } catch (const Error&) {
    // What is left is unlocked now, and `sandboxctl gc` removes it.
  }
}

// Ended before its upperdir is touched: overlayfs.rst, "Changes to underlying filesystems".
RecordedStatuses StepBox::finish() {
  box_ = std::move(core_->box);
  core_->box.reset();
  core_->destroy();
  return has_range(*core_) ? take_over_all() : RecordedStatuses();
}

RecordedStatuses StepBox::take_over_all() const {
  RecordedStatuses recorded;
  const IdNames& names = core_->record.names;
  const auto record = [&](const std::string& path, const struct stat& status) {
    const uint32_t uid = id_inside(names.uids, status.st_uid);
    const uint32_t gid = id_inside(names.gids, status.st_gid);
    const bool by_default = (uid == 0 || uid == user_.uid) && (gid == 0 || gid == user_.gid);
    if (by_default && (status.st_mode & kSetId) == 0) return;
    recorded[path] = {.mode = status.st_mode & 07777, .uid = uid, .gid = gid};
  };
  const MaybeIdentity acting(user_.agent ? &user_ : nullptr);
  take_over(open_top(upper()), user_, record);
  take_over(open_top(box_->path() + "/work"), user_, [](const auto&, const auto&) {});
  return recorded;
}

}  // namespace sandbox
