#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fs/files_context.h"
#include "fs/watch_hub.h"
#include "sandbox/unique_fd.h"
#include "sandbox/watcher.h"

namespace sandbox {

/// One watcher: its directories, and the events that wait to be fetched.
///
/// Holds no descriptor of the sandbox: one of the watched directory would keep the mount of a dead
/// sandbox alive, and would keep the kernel from reporting that it was removed (IN_DELETE_SELF
/// comes when the last reference goes). Everything here is guarded by the hub's lock.
class WatchState {
 public:
  WatchState(std::shared_ptr<const FilesContext> context, std::string path, WatchOptions options);
  WatchState(const WatchState&) = delete;
  WatchState& operator=(const WatchState&) = delete;
  ~WatchState();

  WatchHub& hub() const noexcept { return *hub_; }
  int pollable_fd() const noexcept { return epoll_.get(); }

 private:
  friend class WatchHub;

  /// Names found by looking into a directory right after its watch was added: the events the kernel
  /// had queued for them by then would report them twice.
  struct Found {
    std::set<std::string, std::less<>> names;
    uint64_t batch = 0;
  };

  /// Opens a directory of the watched tree. Empty when it is not there, or is another one by now.
  UniqueFd open(const std::string& name) const;
  void push(WatchEventType type, const std::string& name);
  void signal() noexcept;
  void clear_signal() noexcept;
  std::string absolute(const std::string& name) const;

  std::shared_ptr<const FilesContext> context_;
  std::shared_ptr<WatchHub> hub_;
  std::string path_;
  WatchOptions options_;
  const FileOwner& owner_;
  struct statx identity_ = {};
  UniqueFd event_;
  UniqueFd epoll_;
  bool ended_ = false;
  std::deque<WatchEvent> events_;
  std::map<std::string, int> directories_;  ///< Watch descriptors by relative path.
  std::map<int, Found> found_;              ///< By watch descriptor.
};

}  // namespace sandbox
