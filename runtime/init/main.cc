// sandbox-init: the launcher of one host process, and PID 1 of each of its sandboxes. Started by
// the library from a sealed memfd; not meant to be run by hand.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "isolation/capabilities.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/syscalls.h"
#include "runtime/init/launcher.h"
#include "runtime/init/launcher_protocol.h"
#include "runtime/init/probes.h"
#include "runtime/init/sudo_program.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// The library started us with the socket and the image, which a helper program must not inherit.
void keep_only_socket() {
  check(::fcntl(kLauncherSocketFd, F_SETFD, FD_CLOEXEC), "fcntl(F_SETFD)");
  check(::close_range(kLauncherSocketFd + 1, ~0U, 0), "close_range");
}

// Inherited by everything that runs in a sandbox.
void prepare_process() {
  check(::chdir("/"), "chdir", "/");
  ::umask(022);
  check(::prctl(PR_SET_NAME, "sandbox-init"), "prctl(PR_SET_NAME)");
  // RLIMIT_CORE does not hold back a piped core_pattern; nothing in the dump does.
  write_kernel_file(AT_FDCWD, "/proc/self/coredump_filter", "0");
  // Keyrings go by uid and know no namespaces. Best effort: the quota is 200 keys a user, and the
  // seccomp filter closes the calls that reach keys.
  join_new_session_keyring();
}

void run_launcher(uid_t uid, gid_t gid) {
  keep_only_socket();
  Launcher launcher{MessageSocket(UniqueFd(kLauncherSocketFd))};
  try {
    prepare_process();
    if (::geteuid() == 0) give_up_root(uid, gid);
  } catch (const Error& error) {
    launcher.refuse(SetupFailed::from("launcher", error));
  }
  launcher.run();
}

uint32_t to_id(const char* text) { return static_cast<uint32_t>(std::strtoul(text, nullptr, 10)); }

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

}  // namespace
}  // namespace sandbox

int main(int argc, char** argv) {
  try {
    // In a sandbox, where the library has put it by this name.
    if (argc > 0 && sandbox::base_name(argv[0]) == "sudo") {
      return sandbox::run_sudo({argv + 1, argv + argc});
    }
    if (argc == 4 && std::string_view(argv[1]) == sandbox::kLauncherMode) {
      sandbox::run_launcher(sandbox::to_id(argv[2]), sandbox::to_id(argv[3]));
      return EXIT_SUCCESS;
    }
    if (argc == 4 && std::string_view(argv[1]) == sandbox::kProbeMode) {
      sandbox::report_probe(argv[2], argv[3]);
      return EXIT_SUCCESS;
    }
    std::fputs("sandbox-init: started by the sandbox library only\n", stderr);
  } catch (const std::exception& error) {
    // The library sees the closed socket; the reason is for whoever looks at the host's stderr.
    std::fprintf(stderr, "sandbox-init: %s\n", error.what());
  }
  return EXIT_FAILURE;
}
