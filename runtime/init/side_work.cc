#include "runtime/init/side_work.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>

#include "sandbox/error.h"

namespace sandbox {
namespace {

void wait_while(const std::atomic<uint32_t>& counter, uint32_t value) noexcept {
  while (counter == value) raw_syscall(SYS_futex, to_argument(&counter), FUTEX_WAIT, value);
}

void set(std::atomic<uint32_t>& counter, uint32_t value) noexcept {
  counter = value;
  raw_syscall(SYS_futex, to_argument(&counter), FUTEX_WAKE, INT_MAX);
}

}  // namespace

// The pages of the stack that it does not use stay untouched.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
SideWork::SideWork(Job job, void* argument) {
  add(job, argument);
  constexpr int kFlags = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD;
  void* const top = stack_.data() + stack_.size();
  child_ = check(::clone(run, top, kFlags, this, nullptr, nullptr, &done_), "clone", "side work");
}

SideWork::~SideWork() { reap(); }

// In the child.
int SideWork::run(void* self) noexcept {
  auto& work = *static_cast<SideWork*>(self);
  for (uint32_t next = kNone;; ++next) {
    wait_while(work.added_, next);
    if (work.no_more_) return 0;
    const Task& task = work.jobs_[next - kNone];
    work.failure_ = task.job(task.argument);
    if (work.failure_) return 0;
    set(work.done_, next + 1);
  }
}

void SideWork::add(Job job, void* argument) noexcept {
  const uint32_t next = added_;
  jobs_[next - kNone] = {.job = job, .argument = argument};
  set(added_, next + 1);
}

void SideWork::wait() {
  for (uint32_t done = done_; done != added_ && done != 0; done = done_) wait_while(done_, done);
  if (failure_) throw Error(failure_.error, failure_.call, "set-up");
  if (done_ == 0) throw Error(ECHILD, "wait", "side work", "the child was killed");
}

void SideWork::finish() {
  wait();
  reap();
}

void SideWork::reap() noexcept {
  if (child_ < 0) return;
  no_more_ = true;
  set(added_, added_ + 1);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

}  // namespace sandbox
