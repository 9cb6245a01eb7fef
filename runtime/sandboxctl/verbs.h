#pragma once

#include <string>
#include <vector>

namespace sandboxctl {

/// Each verb takes the arguments behind its name and returns the exit code. Throws Failure.
int run(const std::vector<std::string>& arguments);
int doctor(const std::vector<std::string>& arguments);

}  // namespace sandboxctl
