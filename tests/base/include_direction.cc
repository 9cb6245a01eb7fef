#include "tests/base/include_direction.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string_view>

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string_view>;

struct Folder {
  std::string_view name;
  Names includes;  ///< Besides itself and the public headers.
  Names links;     ///< Besides itself.
};

// The diagram. A file belongs to the first folder that its path starts with.
const std::vector<Folder> kFolders = {
    {"runtime/include", {}, {}},
    {"runtime/base", {}, {"runtime/include"}},
    {"runtime/init",
     {"runtime/base", "isolation", "fs", "proc"},
     {"runtime/base", "isolation", "fs", "proc"}},
    // A program like any other user's: what it needs must be public.
    {"runtime/sandboxctl", {}, {"runtime"}},
    // The host speaks the launcher's protocol, whose messages stand beside the launcher.
    {"runtime",
     {"runtime/base", "runtime/init", "isolation", "fs", "proc", "templates"},
     {"runtime/base", "isolation", "fs", "proc", "templates"}},
    {"isolation", {"runtime/base"}, {"runtime/base"}},
    {"fs", {"runtime/base"}, {"runtime/base"}},
    {"proc", {"runtime/base", "isolation"}, {"runtime/base", "isolation"}},
    {"templates", {"runtime/base", "fs"}, {"runtime/base", "fs"}},
    // The examples are what the README shows.
    {"tests/examples", {}, {"runtime", "tests"}},
};

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.substr(folder.size()).starts_with('/');
}

const Folder* folder_of(std::string_view path) {
  const auto found = std::find_if(kFolders.begin(), kFolders.end(),
                                  [&](const Folder& folder) { return is_in(path, folder.name); });
  return found == kFolders.end() ? nullptr : &*found;
}

// Our folder, or "tests"; empty for anything else.
std::string_view name_of_folder(std::string_view path) {
  if (const Folder* folder = folder_of(path)) return folder->name;
  return is_in(path, "tests") ? "tests" : "";
}

// Data for one source, generated or beside it.
bool is_table(std::string_view include) {
  return include.ends_with(".inc") && include.find('/') == std::string_view::npos;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> all_matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

// Paths of all files in the folders of the table and in tests, relative to the root.
std::vector<std::string> source_files(const fs::path& root) {
  std::vector<std::string> files;
  for (const char* top : {"runtime", "isolation", "fs", "proc", "templates", "tests"}) {
    std::error_code missing;
    fs::recursive_directory_iterator entry(root / top, missing);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
      if (entry->is_regular_file()) files.push_back(entry->path().lexically_relative(root));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Checker {
 public:
  explicit Checker(fs::path root) : root_(std::move(root)), files_(source_files(root_)) {}

  std::vector<std::string> run() {
    collect_targets();
    for (const std::string& file : files_) {
      if (file.ends_with(".h") || file.ends_with(".cc")) check_includes(file);
      if (file.ends_with("CMakeLists.txt")) check_links(file);
    }
    return violations_;
  }

 private:
  void collect_targets() {
    static const std::regex pattern(
        R"(\b(?:add_library|add_executable|sandbox_init_library)\s*\(\s*([\w:.-]+))");
    for (const std::string& file : files_) {
      if (!file.ends_with("CMakeLists.txt")) continue;
      for (const std::string& target : all_matches(read(root_ / file), pattern)) {
        folder_of_target_[target] = name_of_folder(file);
      }
    }
  }

  void check_includes(const std::string& file) {
    static const std::regex pattern(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*"([^"\n]*)")re");
    const Folder* from = folder_of(file);
    for (const std::string& include : all_matches(read(root_ / file), pattern)) {
      if (include.starts_with("sandbox/")) {
        if (!fs::exists(root_ / "runtime/include" / include)) {
          report(file, "includes \"" + include + "\", which is no public header");
        }
        continue;
      }
      if (is_table(include)) continue;
      const std::string_view to = name_of_folder(include);
      if (to.empty()) {
        report(file, "includes \"" + include + "\", not a path from the root");
      } else if (from != nullptr && to != from->name && !contains(from->includes, to)) {
        report(file, "includes \"" + include + "\" against the direction");
      }
    }
  }

  void check_links(const std::string& file) {
    // Plain, and as the LIBS of the function that the top CMakeLists.txt defines for init.
    static const std::regex pattern(
        R"(\b(?:target_link_libraries|sandbox_init_library)\s*\(([^)]*)\))");
    const Folder* from = folder_of(file);
    if (from == nullptr) return;
    for (const std::string& arguments : all_matches(read(root_ / file), pattern)) {
      std::istringstream words(arguments);
      for (std::string word; words >> word;) {
        const auto target = folder_of_target_.find(word);
        if (target == folder_of_target_.end()) continue;
        if (target->second != from->name && !contains(from->links, target->second)) {
          report(file, "links " + word + " against the direction");
        }
      }
    }
  }

  void report(const std::string& file, const std::string& what) {
    violations_.push_back(file + ' ' + what);
  }

  fs::path root_;
  std::vector<std::string> files_;
  std::map<std::string, std::string_view> folder_of_target_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> direction_violations(const std::string& root) {
  return Checker(root).run();
}

}  // namespace sandbox::test
