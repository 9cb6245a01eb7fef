#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/entry_info.h"

namespace sandbox {

class WatchState;

enum class WatchEventType {
  Create,  ///< Something new has this name: made, linked, or renamed to it.
  Write,   ///< Content changed.
  Remove,
  Rename,  ///< The old name of what was renamed; the new one comes as Create.
  Chmod,   ///< Mode, owner, times or extended attributes changed.
  /// Events were lost, because there were more than the kernel keeps: list again. With a name: what
  /// is below that directory cannot be watched (a limit).
  Rescan,
};

struct WatchEvent {
  WatchEventType type = WatchEventType::Rescan;
  /// Relative to the watched directory; empty for that directory itself.
  std::string name = {};
  /// With WatchOptions::include_entry, for Create, Write and Chmod of what is still there.
  std::optional<EntryInfo> entry = {};
};

struct WatchOptions {
  std::string user = {};
  bool recursive = false;            ///< Also below sub-directories, those made later included.
  bool include_entry = false;        ///< Costs a few system calls an event.
  size_t max_directories = 100'000;  ///< ENOSPC beyond: a tree inside must not use up the host's.
};

/// Changes in a directory of a sandbox, as they happen: inotify(7) on the directory that processes
/// inside see. Made by Files::watch.
///
/// A new file that is written through Files gives Create, Chmod, Write. Nothing that is made in a
/// new sub-directory is missed: what is found in it already is reported like what follows. Equal
/// events in a row may be one. Symlinks are not followed, and what is moved out of the directory is
/// no longer watched.
///
/// Move-only. stop() may be called from any thread, everything else from one at a time. All
/// watchers of a Runtime share one inotify instance, of which a user may have 128.
class Watcher {
 public:
  explicit Watcher(std::unique_ptr<WatchState> state) noexcept;
  Watcher(Watcher&&) noexcept;
  Watcher& operator=(Watcher&&) noexcept;
  ~Watcher();

  /// Readable when there may be events, now and then without one; for poll(2). Then call drain().
  int fd() const noexcept;
  /// What has happened since the last call; empty when nothing has.
  std::vector<WatchEvent> drain();
  /// Waits for the next event. Nothing after `timeout`, or when the watcher has ended.
  std::optional<WatchEvent> next(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  /// Calls back for each event until the watcher has ended.
  void run(const std::function<void(const WatchEvent&)>& callback);

  /// Ends it. Events that have come before can still be had.
  void stop() noexcept;
  /// True after stop(), when the directory was removed or moved (Remove or Rename with an empty
  /// name is then the last event), and when the sandbox has ended.
  bool ended() const noexcept;

 private:
  std::unique_ptr<WatchState> state_;
};

}  // namespace sandbox
