#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sandbox::test {

/// A directory of its own below $TMPDIR, removed with everything in it at the end of the scope.
///
///     const TempDir lower = TempDir::with({{"etc/name", "template"}, {"empty/", ""}});
///
/// Removal does not follow symlinks and makes locked directories (mode 000) accessible first. What
/// cannot be removed fails the running test: a mount left behind is a leak.
class TempDir {
 public:
  TempDir();
  /// Files by relative path; parents are made. A path that ends in '/' is a directory.
  static TempDir with(const std::map<std::string, std::string>& files);
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  /// Absolute path of the directory, or of `relative` below it.
  std::string path(std::string_view relative = {}) const;
  /// Creates or replaces a file and its parents; a path that ends in '/' makes a directory.
  void write(std::string_view relative, std::string_view content) const;
  /// The content of a file. Throws sandbox::Error.
  std::string read(std::string_view relative) const;
  /// True for anything at all, a dangling symlink included.
  bool exists(std::string_view relative) const;

 private:
  std::string root_;
};

}  // namespace sandbox::test
