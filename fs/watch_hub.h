#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sandbox/unique_fd.h"
#include "sandbox/watcher.h"

namespace sandbox {

class FilesContext;
class WatchState;

/// The inotify instance that the watchers of a Runtime share, and who wants to know of which
/// directory. Made when the first watcher is: inotify(7).
///
/// There is no thread: whoever asks for events reads for all. Safe to use from several threads.
class WatchHub {
 public:
  WatchHub() = default;
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  /// The inotify descriptor, made when needed. Throws Error: EMFILE beyond max_user_instances.
  int instance();

  /// Starts watching for `state`. Throws Error: ENOENT, ENOTDIR, ENOSPC.
  void start(WatchState& state);
  /// Ends it, once or more often.
  void stop(WatchState& state) noexcept;
  /// Ends all watchers of a sandbox.
  void stop_all(const FilesContext& context) noexcept;
  bool ended(const WatchState& state) noexcept;

  /// Hands out what the kernel has, to all watchers, and takes the events of one.
  std::vector<WatchEvent> take(WatchState& state, size_t limit);

 private:
  struct Subscriber {
    WatchState* state = nullptr;
    std::string path;  ///< Of the directory, relative to the watched one.
  };
  struct RawEvent {
    int watch = -1;
    uint32_t mask = 0;
    uint32_t cookie = 0;
    std::string name;
  };

  bool read_events();
  void distribute();
  void deliver(const RawEvent& event, const Subscriber& to);
  void deliver_named(const RawEvent& event, const Subscriber& to);
  void leave_directory(const RawEvent& event, WatchState& state, const std::string& path);
  bool is_known(const RawEvent& event, WatchState& state);
  void overflow();

  enum class Report { Nothing, Everything };
  void add_tree(WatchState& state, const std::string& path, Report report);
  void add_tree_or_tell(WatchState& state, const std::string& path, Report report);
  int add_watch(WatchState& state, int dir, const std::string& path);
  std::vector<std::string> look_into(WatchState& state, int dir, int watch, const std::string& path,
                                     Report report);
  void subscribe(WatchState& state, int watch, const std::string& path);
  void unsubscribe(WatchState& state, int watch) noexcept;
  void forget_tree(WatchState& state, const std::string& path);
  void rename_tree(WatchState& state, const std::string& from, const std::string& to);
  const RawEvent* other_half(uint32_t cookie);
  void end(WatchState& state) noexcept;

  std::mutex mutex_;
  UniqueFd inotify_;
  std::unordered_map<int, std::vector<Subscriber>> subscribers_;
  std::set<WatchState*> states_;
  std::vector<RawEvent> batch_;
  size_t at_ = 0;  ///< The event of batch_ that is being delivered.
  uint64_t batch_number_ = 0;
};

}  // namespace sandbox
