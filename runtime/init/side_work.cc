#include "runtime/init/side_work.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>

#include "fs/root_file_system.h"
#include "isolation/network_namespace.h"
#include "sandbox/error.h"

namespace sandbox {

// The pages of the stack that it does not use stay untouched.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
SideWork::SideWork()
    : proc_(check(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/proc")) {
  constexpr int kFlags = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD;
  void* const top = stack_.data() + stack_.size();
  child_ = check(::clone(run, top, kFlags, this, nullptr, nullptr, &stage_), "clone", "side work");
}

SideWork::~SideWork() {
  if (child_ < 0) return;
  wait_while(MakingNetwork);
  set_stage(Leaving);
  reap();
}

// In the child, until set_stage(): raw system calls only, as errno is the parent's.
int SideWork::run(void* self) noexcept {
  auto& work = *static_cast<SideWork*>(self);
  work.make_network();
  work.set_stage(Waiting);
  work.wait_while(Waiting);
  if (work.stage_ == DroppingRoot) work.failure_ = drop_old_root();
  return 0;
}

void SideWork::make_network() noexcept {
  failure_ = enter_new_network_namespace();
  if (failure_) return;
  const long network =
      raw_syscall(SYS_openat, proc_.get(), to_argument("self/ns/net"), O_RDONLY | O_CLOEXEC);
  failure_ = failed("open(net namespace)", network);
  network_ = static_cast<int>(network);
}

void SideWork::set_stage(Stage stage) noexcept {
  stage_ = stage;
  raw_syscall(SYS_futex, to_argument(&stage_), FUTEX_WAKE, INT_MAX);
}

void SideWork::wait_while(Stage stage) const noexcept {
  while (stage_ == stage) raw_syscall(SYS_futex, to_argument(&stage_), FUTEX_WAIT, stage);
}

void SideWork::reap() noexcept {
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

void SideWork::require_success() const {
  if (failure_) throw Error(failure_.error, failure_.call, "namespaces");
}

void SideWork::enter_network() {
  wait_while(MakingNetwork);
  const UniqueFd network(network_);
  network_ = -1;
  require_success();
  check(::setns(network.get(), CLONE_NEWNET), "setns", "network namespace");
}

void SideWork::begin_drop_old_root() noexcept { set_stage(DroppingRoot); }

void SideWork::finish() {
  reap();
  require_success();
}

}  // namespace sandbox
