#pragma once

#include "sandbox/unique_fd.h"

namespace sandbox {

/// A listening SOCK_SEQPACKET socket `name` in `directory`, to which every user may connect. It
/// does not block. For a caller whose working directory may change to "/". Throws Error.
UniqueFd listen_in(int directory, const char* name);

}  // namespace sandbox
