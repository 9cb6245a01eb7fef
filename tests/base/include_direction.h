#pragma once

#include <string>
#include <vector>

namespace sandbox::test {

/// What in the source tree at `root` goes against the direction of dependencies, one sentence each;
/// empty when all is well.
///
/// Reads every #include "..." of the .h and .cc files and every target_link_libraries of the
/// CMakeLists.txt files. The allowed directions are the table in include_direction.cc.
std::vector<std::string> direction_violations(const std::string& root);

}  // namespace sandbox::test
