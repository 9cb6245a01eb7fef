#include "fs/files_context.h"

#include <unistd.h>

#include <utility>

#include "fs/file_agent.h"
#include "fs/watch_hub.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

bool may_act_for(const FileOwner& owner) {
  return ::geteuid() == 0 || ::geteuid() == owner.host_uid;
}

}  // namespace

FilesContext::FilesContext(Setup setup)
    : root_(std::make_shared<const RootDir>(std::move(setup.root), setup.volumes)),
      users_(std::move(setup.users)),
      agent_(std::move(setup.agent)),
      default_user_(std::move(setup.default_user)),
      names_(std::move(setup.names)),
      hub_(setup.hub ? std::move(setup.hub) : std::make_shared<WatchHub>()) {
  for (auto& [name, owner] : users_) {
    if (owner.host_uid == 0) throw Error(EINVAL, "user", name, "it maps to root of the host");
    owner.agent = agent_;
    if (agent_ && !may_act_for(owner)) owner.agent_only = true;
  }
}

void FilesContext::close() noexcept {
  std::shared_ptr<const RootDir> last;  // Closed after the lock is free.
  {
    const std::lock_guard lock(mutex_);
    last = std::exchange(root_, nullptr);
  }
  if (agent_) agent_->close();
  hub_->stop_all(*this);
}

std::shared_ptr<const RootDir> FilesContext::root() const {
  const std::lock_guard lock(mutex_);
  if (!root_) throw Error(EPIPE, "files", "", "the sandbox has ended");
  return root_;
}

const FileOwner& FilesContext::owner(const std::string& user) const {
  const std::string& name = user.empty() ? default_user_ : user;
  const auto found = users_.find(name);
  if (found != users_.end()) return found->second;
  for (const auto& [other, owner] : users_) {
    if (std::to_string(owner.uid) == name) return owner;
  }
  throw Error(EINVAL, "user", name, "no such user in the sandbox");
}

}  // namespace sandbox
