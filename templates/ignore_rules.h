#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// What `copy` leaves out: the file .dockerignore beside a manifest, as Docker reads it.
///
/// A pattern a line, relative to that directory: `*` and `?` are within one name, `**` is any
/// number of directories, `!` makes an exception; of several that match, the last counts. What lies
/// in a directory that matches, matches too. Empty lines and those that begin with '#' are passed
/// over.
class IgnoreRules {
 public:
  explicit IgnoreRules(std::string_view text);

  /// Those of `directory`; none when it has no such file. Throws Error.
  static IgnoreRules of_directory(const std::string& directory);

  /// `path` is relative to the directory, without "." and "..".
  bool ignores(std::string_view path) const;

 private:
  struct Rule {
    std::vector<std::string> names;
    bool exception = false;
  };
  std::vector<Rule> rules_;
};

}  // namespace sandbox
