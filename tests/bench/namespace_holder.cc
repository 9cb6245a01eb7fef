#include "tests/bench/namespace_holder.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "runtime/base/pipe.h"
#include "sandbox/error.h"

namespace sandbox::bench {
namespace {

// Says that it is there, then sleeps: nothing inside has a file of ours but this pipe.
constexpr const char* kArgv[] = {
    "unshare", "--user",   "--map-root-user", "--mount", "--mount-proc",
    "--pid",   "--fork",   "--kill-child",    "--net",   "--ipc",
    "--uts",   "--cgroup", "/bin/sh",         "-c",      "echo; exec sleep 1000000",
    nullptr};

pid_t only_child_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = -1;
  children >> child;
  return child;
}

}  // namespace

NamespaceHolder::NamespaceHolder() {
  Pipe ready = make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ready.writer.get(), STDOUT_FILENO);
  const int error = ::posix_spawnp(&unshare_, kArgv[0], &actions, nullptr,
                                   const_cast<char* const*>(kArgv), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error(error, "posix_spawn", kArgv[0]);
  ready.writer.reset();
  char byte = 0;
  if (::read(ready.reader.get(), &byte, 1) != 1) throw Error(EPERM, "unshare", "namespaces");
  pid_ = only_child_of(unshare_);
}

NamespaceHolder::~NamespaceHolder() {
  ::kill(unshare_, SIGKILL);
  ::waitpid(unshare_, nullptr, 0);
}

DetachedSandbox::DetachedSandbox() : box_(runtime_.create({.lifetime = Lifetime::Detached})) {}

DetachedSandbox::~DetachedSandbox() {
  try {
    box_.destroy();
  } catch (const Error&) {
    // It is listed, and `sandboxctl rm` says why it does not go.
  }
}

}  // namespace sandbox::bench
