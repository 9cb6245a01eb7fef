#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/limits.h"

namespace sandbox {

/// Which system calls a payload may make. The tables with their reasons:
/// isolation/seccomp_tables.h.
enum class Profile {
  Default,  ///< Runs ordinary development tools; no ptrace, no namespaces, no io_uring.
  Strict,   ///< About 200 calls: also no inet sockets, SysV IPC, splice or set*id.
  Dev,      ///< Default plus ptrace, process_vm_* and personality(ADDR_NO_RANDOMIZE), for gdb.
};

enum class Network {
  None,  ///< An own network namespace with only `lo`, up.
  Host,  ///< The caller's network namespace: no network isolation at all.
};

/// How ids inside map to ids of the host: user_namespaces(7).
enum class Ids {
  Auto,    ///< Range when the template asks for it and it is available, else Single.
  Single,  ///< One id: the caller is `user` (1000), or root (0) if `user` is "root".
  Range,   ///< Ids 0-65535, through newuidmap(1) and the caller's /etc/subuid and /etc/subgid.
};

/// "auto", "single" or "range": what command lines and manifests call it.
constexpr const char* to_string(Ids ids) noexcept {
  if (ids == Ids::Auto) return "auto";
  return ids == Ids::Range ? "range" : "single";
}

/// Where what the sandbox changes is kept while it lives.
enum class Upper {
  Auto,    ///< Memory when the kernel can (Linux 6.6) and no limit is set of the disk's speed, else
           ///< Directory.
  Memory,  ///< A tmpfs of its own, counted as the sandbox's memory, gone with it.
  Directory,  ///< A directory below the data directory, removed with the sandbox.
};

/// What ends a sandbox besides destroy() and the death of its PID 1.
enum class Lifetime {
  Owned,     ///< The end of the Sandbox object, or of the process it is in, however that comes.
  Detached,  ///< Only its time to live: Runtime::attach finds it again, from any process.
};

/// What happens when the time to live of a sandbox is over.
enum class TtlAction {
  Kill,   ///< It ends.
  Pause,  ///< As Sandbox::pause, which takes a cgroup. Sandbox::resume begins the same time anew.
};

enum class Access { ReadOnly, ReadWrite };

/// A directory or file of the host, visible in the sandbox. Always nosuid and nodev.
struct Mount {
  std::string source;  ///< Host path; resolved once, when the sandbox is created.
  std::string target;  ///< Absolute path inside; created if it is missing.
  Access access = Access::ReadOnly;
};

/// What a sandbox is made of. Plain data; the defaults are the strongest isolation.
struct SandboxOptions {
  /// "host": our skeleton and the machine's /usr. "dir:PATH": an unpacked root file system. Any
  /// other: a stored template by its name; see sandbox/templates.h.
  std::string template_name = "host";
  /// Who commands run as, by name: "user" or "root"; with Ids::Range any user of the template.
  /// Empty: the one that the template names, else "user".
  std::string user = {};
  /// Added to PATH, HOME, USER and LANG, the only variables a sandbox starts with, and to those of
  /// the template.
  std::map<std::string, std::string> env = {};
  std::vector<Mount> mounts = {};
  Network network = Network::None;
  Profile profile = Profile::Default;
  Ids ids = Ids::Auto;
  Upper upper = Upper::Auto;
  Lifetime lifetime = Lifetime::Owned;
  /// For Runtime::attach: 1 to 64 of a-z A-Z 0-9 _ . - beginning with a letter or digit, unique
  /// among the living. Detached sandboxes only.
  std::string name = {};
  /// The caller's own notes, given back by Sandbox::info and Runtime::list.
  std::map<std::string, std::string> metadata = {};
  /// Ends the sandbox so long after its creation, or does what ttl_action says; CLOCK_MONOTONIC,
  /// counted by PID 1.
  std::optional<std::chrono::milliseconds> ttl = {};
  TtlAction ttl_action = TtlAction::Kill;
  Limits limits = {};
  /// Whether the template's limits hold where `limits` says nothing.
  bool with_template_limits = true;
  /// Whether the template's start command runs, and create() waits until the sandbox is ready.
  bool with_start = true;
};

/// Settings of the host application, shared by its sandboxes.
struct RuntimeOptions {
  /// Where templates' generated layers and directory uppers live. Empty: $SANDBOX_HOME, else
  /// ~/.local/share/sandbox; with euid 0 /var/lib/sandbox. Created 0700 (root: 0711).
  std::string data_directory = {};
  /// Where detached sandboxes are found. Empty: `run` below the data directory if that or
  /// $SANDBOX_HOME is set, else $XDG_RUNTIME_DIR/sandbox; with euid 0 /run/sandbox. Made 0700 when
  /// the first one is.
  std::string run_directory = {};
  /// A directory of cgroup version 2 that belongs to the caller and in which no process lives; used
  /// when limits are set. Empty: $SANDBOX_CGROUP, else the cgroup above that of this process if it
  /// is delegated to the caller, else a scope that systemd is asked for.
  std::string cgroup = {};
  /// Consent to move this process, with all its threads, into a child `host` of its cgroup, when
  /// that is delegated to the caller and nobody else lives there: a cgroup that gives limits to
  /// others may hold no process itself.
  bool may_move_host = false;
};

}  // namespace sandbox
