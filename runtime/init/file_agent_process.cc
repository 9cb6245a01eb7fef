#include "runtime/init/file_agent_process.h"

#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>

#include "fs/file_agent_server.h"
#include "isolation/capabilities.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

void prevent_tracing() { check(::prctl(PR_SET_DUMPABLE, 0), "prctl(PR_SET_DUMPABLE)"); }

void enter(std::span<const UniqueFd> namespaces) {
  check(::setns(namespaces.front().get(), CLONE_NEWUSER), "setns", "user namespace");
  for (const UniqueFd& other : namespaces.subspan(1)) {
    const int result = ::setns(other.get(), 0);
    if (result != 0 && errno != EPERM) throw Error(errno, "setns", "namespace");
  }
}

}  // namespace

void run_file_agent(const MessageSocket& host, std::span<const UniqueFd> namespaces) {
  check(::prctl(PR_SET_NAME, "sandbox-files"), "prctl(PR_SET_NAME)");
  prevent_tracing();  // Before processes with the same uid inside could (CVE-2016-9962).
  enter(namespaces);
  drop_capabilities(kFileAgentCapabilities);
  set_no_new_privs();
  prevent_tracing();  // A change of credentials may undo it: PR_SET_DUMPABLE in prctl(2).
  serve_file_calls(host);
}

}  // namespace sandbox
