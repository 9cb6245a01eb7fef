#include "runtime/init/set_up.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "fs/dev_mount.h"
#include "fs/root_file_system.h"
#include "isolation/capabilities.h"
#include "isolation/landlock.h"
#include "isolation/namespace_quotas.h"
#include "isolation/network_namespace.h"
#include "isolation/rlimits.h"
#include "isolation/seccomp_install.h"
#include "runtime/base/kernel_file.h"
#include "runtime/init/side_work.h"

namespace sandbox {
namespace {

// One name for all: a payload learns nothing from it, and no file in the root depends on it.
constexpr std::string_view kHostName = "sandbox";

void become_oom_candidate() {
  // A host daemon may have a negative value, which would be inherited; raising needs no privilege.
  write_kernel_file(AT_FDCWD, "/proc/self/oom_score_adj", "500");
}

void take_ids(const LaunchRequest& request, int maps_written) {
  if (request.map_writer == MapWriter::Self) {
    const UniqueFd self{
        check(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/proc/self")};
    request.ids.write(self.get());
    return;
  }
  char byte = 0;
  if (check(::read(maps_written, &byte, 1), "read", "id maps") != 1) {
    throw Error(ECANCELED, "read", "id maps");
  }
  // Only a range map leaves setgroups(2) allowed, and only it can drop the caller's groups.
  check(::setgroups(0, nullptr), "setgroups");
  check(::setresgid(0, 0, 0), "setresgid", "0");
  check(::setresuid(0, 0, 0), "setresuid", "0");
}

void set_names() {
  check(::sethostname(kHostName.data(), kHostName.size()), "sethostname");
  // The initial value of the kernel; a new uts namespace starts with the host's NIS domain.
  constexpr std::string_view kNoDomain = "(none)";
  check(::setdomainname(kNoDomain.data(), kNoDomain.size()), "setdomainname");
}

UniqueFd open_root() {
  return UniqueFd(check(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/"));
}

// 0, 1 and 2 are the host's /dev/null until now.
void reopen_stdio() {
  const UniqueFd null{check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open", "/dev/null")};
  for (int fd = 0; fd <= 2; ++fd) check(::dup2(null.get(), fd), "dup2", "/dev/null");
}

// A job that has no child to do it.
void do_at_once(SideWork::Job job, void* argument) {
  if (const FailedCall failure = job(argument)) throw Error(failure.error, failure.call, "set-up");
}

const CapabilityPolicy& policy_of(const LaunchRequest& request) {
  return request.map_writer == MapWriter::Self ? kNoCapabilities : kRangeInitCapabilities;
}

// Runs the steps in order, knows the name of the current one and how long each took.
class Steps {
 public:
  void run(const char* name, const std::function<void()>& step) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      step();
    } catch (const Error& error) {
      throw SetUpError(name, error);
    }
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    done_.push_back({.name = name, .microseconds = static_cast<uint64_t>(us)});
  }
  std::vector<TimedStep> take() { return std::move(done_); }

 private:
  std::vector<TimedStep> done_;
};

}  // namespace

SetUp set_up(const LaunchRequest& request, int maps_written) {
  SetUp result;
  Steps steps;
  std::optional<NetworkNamespace> network;
  std::optional<RootFileSystem> root;
  std::optional<SideWork> side;
  // Done by a child from here on, with other things that it has time for.
  if (request.own_network) {
    steps.run("network begun", [&] {
      network.emplace();
      side.emplace(NetworkNamespace::make, &*network);
    });
  }
  const auto begin = [&side](SideWork::Job job, void* argument) {
    if (side) return side->add(job, argument);
    do_at_once(job, argument);
  };
  // Before we stop being dumpable, after which /proc/self belongs to an id that is not mapped.
  steps.run("oom_score_adj", become_oom_candidate);
  steps.run("ids", [&] { take_ids(request, maps_written); });
  // It was born in the cgroup that is to be the root of the new namespace.
  if (request.has_cgroup) {
    steps.run("cgroup namespace", [] { check(::unshare(CLONE_NEWCGROUP), "unshare"); });
  }
  // No process that is ever in here may look into this one (CVE-2016-9962).
  steps.run("dumpable", [] { check(::prctl(PR_SET_DUMPABLE, 0), "prctl(PR_SET_DUMPABLE)"); });
  steps.run("propagation", make_mounts_slave);
  steps.run("sources", [&] { root.emplace(request.root); });
  steps.run("layers", [&] { root->mount_layers(); });
  steps.run("dev", [&] { root->mount_dev(); });
  steps.run("devices begun", [&] { begin(bind_devices, root->dev()); });
  steps.run("proc", [&] { root->mount_proc(); });
  result.sudo_listener = root->take_sudo_listener();
  if (side) steps.run("devices, network", [&] { side->wait(); });
  steps.run("dev closed", [&] { root->close_dev(); });
  // Before the binds, whose files are the caller's.
  if (request.map_writer != MapWriter::Self) steps.run("owners", [&] { root->give_to_root(); });
  steps.run("binds", [&] { root->mount_binds(); });
  steps.run("private proc", [&] { result.proc = root->mount_private_proc(); });
  steps.run("pivot_root", [&] { root->enter(); });
  steps.run("root", [&] { result.root = open_root(); });
  root.reset();
  if (side) steps.run("network", [&] { network->enter(); });
  steps.run("old root begun", [&] { begin(drop_old_root, nullptr); });
  steps.run("quotas", [&] { close_namespace_quotas(result.proc.get()); });
  steps.run("stdio", reopen_stdio);
  steps.run("names", set_names);
  steps.run("rlimits", apply_rlimits);
  steps.run("capabilities", [&] { drop_capabilities(policy_of(request)); });
  steps.run("no_new_privs", set_no_new_privs);
  steps.run("landlock", [&] {
    const int proc = result.proc.get();
    const LandlockResult landlock = restrict_to_root(result.root.get(), {&proc, 1});
    result.report.landlock_abi = landlock.abi;
    result.report.landlock_weakness = landlock.weakness;
  });
  // Last of its own: nothing above is allowed any more.
  steps.run("seccomp", [&] { install_seccomp(request.allow_filter); });
  if (side) steps.run("old root", [&] { side->finish(); });
  steps.run("root is bare", require_bare_root);
  result.report.steps = steps.take();
  return result;
}

}  // namespace sandbox
