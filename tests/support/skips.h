#pragma once

#include <string_view>

namespace sandbox::test {

// Each function skips the running test, with the reason, when the machine lacks what it names; it
// leaves the body of the test by an exception that GoogleTest knows. The probes do the thing for
// real. tests/expected_skips.txt lists the reasons that CI accepts.

/// A user and a mount namespace with a mapping of the caller's own id.
void require_user_namespaces();
/// newuidmap(1) and newgidmap(1) accept the caller's ranges of /etc/subuid and /etc/subgid. Root
/// needs neither.
void require_subordinate_ids();
/// Whether the program runs under AddressSanitizer, whose shadow and quarantine count as its
/// memory.
bool is_sanitized() noexcept;
/// AddressSanitizer takes a child that shares our memory and never returns for a mistake.
void require_no_sanitizer();
void require_root();
void require_unprivileged();
/// A tmpfs can be the upper layer of an overlay.
void require_user_xattrs_on_tmpfs();
/// `name` is in PATH.
void require_program(std::string_view name);
/// Only where nobody minds: the microVM says so in $SANDBOX_TEST_MICROVM. And only root can.
void require_clock_that_may_be_set();
/// The cgroup v2 above that of this process is ours to divide, with this controller, e.g. "memory".
void require_cgroup_controller(std::string_view controller);

}  // namespace sandbox::test
