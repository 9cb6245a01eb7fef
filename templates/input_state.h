#pragma once

#include <optional>
#include <string>

namespace sandbox {

/// What steps depend on besides the layers and files that are hashed, as text that changes with it.

/// The machine's own /usr, under `from: host`: when its package manager last did something, and
/// when something was added to or removed from where programs are put by hand. A file that somebody
/// overwrites in place shows nowhere; that is what `--no-cache` is for.
std::string host_state();

/// A source that is the same as long as this is, and has no configuration of its own. For
/// `debian:SUITE` only its name: the suite as it was when it was fetched. For `tar:PATH` what
/// stat(2) says of the file. Nothing for the others, which are imported each time.
std::optional<std::string> source_state(const std::string& source);

}  // namespace sandbox
