#include "runtime/init/file_agent_process.h"

#include <sched.h>
#include <sys/prctl.h>

#include "fs/file_agent_server.h"
#include "isolation/capabilities.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

void prevent_tracing() { check(::prctl(PR_SET_DUMPABLE, 0), "prctl(PR_SET_DUMPABLE)"); }

}  // namespace

void run_file_agent(const MessageSocket& host, std::span<const UniqueFd> namespaces) {
  check(::prctl(PR_SET_NAME, "sandbox-files"), "prctl(PR_SET_NAME)");
  prevent_tracing();  // Before processes with the same uid inside could (CVE-2016-9962).
  for (const UniqueFd& name_space : namespaces) check(::setns(name_space.get(), 0), "setns");
  drop_capabilities(kFileAgentCapabilities);
  set_no_new_privs();
  prevent_tracing();  // A change of credentials may undo it: PR_SET_DUMPABLE in prctl(2).
  serve_file_calls(host);
}

}  // namespace sandbox
