#pragma once

#include <map>
#include <string>

namespace sandbox::test {

/// The names below a tree, and what is in the files: "/" for a directory, "-> target" for a
/// symlink.
using Content = std::map<std::string, std::string>;
Content content_of(const std::string& tree);

/// What two trees differ in, or empty: type, mode, links, time, user xattrs and content of every
/// entry. Times are compared to the second, and one more: programs written in Go round them in
/// archives.
std::string difference(const std::string& one, const std::string& other);

}  // namespace sandbox::test
