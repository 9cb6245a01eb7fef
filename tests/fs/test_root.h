#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "fs/file_agent.h"
#include "fs/files_context.h"
#include "runtime/base/message_socket.h"
#include "sandbox/files.h"
#include "sandbox/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {

enum class RootKind {
  Plain,         ///< A directory of the host.
  Overlay,       ///< Overlay on tmpfs in a user and mount namespace, with other mounts in it.
  PlainByAgent,  ///< The same, and every call that needs rights is made by a FileAgent.
  OverlayByAgent,
};

bool is_overlay(RootKind kind);
bool is_by_agent(RootKind kind);

/// For test suites whose every fact has to hold in all of them.
inline const auto kAllRoots = ::testing::Values(RootKind::Plain, RootKind::Overlay,
                                                RootKind::PlainByAgent, RootKind::OverlayByAgent);

std::ostream& operator<<(std::ostream& out, RootKind kind);

/// A file tree like that of a sandbox, with the Files that a host has for it, and no sandbox.
///
/// Called by root, the tree belongs to an ordinary id, as a sandbox of root's does. An Overlay root
/// also has /tmp (a tmpfs that belongs to it), /foreign (one that does not), /dev with null, zero
/// and tty, the /proc of its namespace's maker, /etc/hosts as a mount point, and the lower layer's
/// /template/{file,dir/file}.
class TestRoot {
 public:
  explicit TestRoot(RootKind kind);
  ~TestRoot();

  const Files& files() const noexcept { return files_; }
  FilesContext& context() const noexcept { return *context_; }
  /// Of the roots by agent; null for others.
  const std::shared_ptr<FileAgent>& agent() const noexcept { return agent_; }
  /// The processes that this root has started: its namespaces', then the agents'.
  const std::vector<pid_t>& children() const noexcept { return children_; }
  const FileOwner& owner() const noexcept { return owner_; }
  int fd() const noexcept { return fd_.get(); }

  /// A path of the host for a path inside: what the payload touches, without our code in between.
  std::string inside(std::string_view path) const;
  /// Runs `body` with the payload's rights.
  void as_payload(const std::function<void()>& body) const;
  /// The payload makes or replaces a file, with its parents.
  void write(std::string_view path, std::string_view content) const;
  std::string read(std::string_view path) const;

 private:
  void open_plain();
  void start_namespaces(bool overlay);
  MessageSocket start_agent();

  FileOwner owner_;
  TempDir directory_;
  UniqueFd fd_;
  UniqueFd volume_;
  UniqueFd keep_alive_;  ///< The namespaces end when this is closed.
  UniqueFd user_namespace_;
  std::vector<pid_t> children_;
  std::shared_ptr<FileAgent> agent_;
  std::shared_ptr<FilesContext> context_;
  Files files_{nullptr};
};

}  // namespace sandbox::test
