#include "runtime/sandboxctl/files_request.h"

#include <unistd.h>

#include <charconv>
#include <climits>
#include <cstdint>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

constexpr FilesAction kActions[] = {
    {"ls", "ID [PATH...]", "list directories; without PATH the home directory", 0, SIZE_MAX, true,
     false, list_entries},
    {"tree", "ID [PATH]", "list a directory and what is below it", 0, 1, true, true, print_tree},
    {"cat", "ID PATH...", "print files", 1, SIZE_MAX, false, false, print_content},
    {"write", "ID PATH", "write stdin to a file, keeping its mode when it exists", 1, 1, true,
     false, write_content},
    {"stat", "ID PATH...", "everything about files", 1, SIZE_MAX, true, false, print_details},
    {"mkdir", "ID PATH...", "make directories and their parents; one that is there is fine", 1,
     SIZE_MAX, true, false, make_directories},
    {"mv", "ID FROM TO", "move into TO when that is a directory, else to it", 2, 2, true, false,
     move_entry},
    {"rm", "ID PATH...", "remove files and trees; one that is not there is fine", 1, SIZE_MAX,
     false, false, remove_entries},
};

int print_help() {
  std::string text =
      "Usage: sandboxctl files VERB [OPTIONS] ID PATH...\n\n"
      "PATH is absolute, or starts in the user's home: x, ~/x.\n\n";
  for (const FilesAction& action : kActions) {
    std::string name = action.name;
    name.resize(8, ' ');
    text += "  " + name + action.help + "\n";
  }
  print_all(STDOUT_FILENO, "stdout", text + "\n'sandboxctl files VERB --help' tells more.\n");
  return 0;
}

const FilesAction& find_action(const std::string& word) {
  std::vector<std::string> names;
  for (const FilesAction& action : kActions) {
    if (word == action.name) return action;
    names.emplace_back(action.name);
  }
  const std::string near = nearest(word, names);
  throw usage_error("files " + word,
                    near.empty() ? "no such verb" : "no such verb; did you mean " + near + "?",
                    "'sandboxctl files --help' lists the verbs");
}

int depth_of(const std::string& text) {
  int depth = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), depth);
  if (error == std::errc{} && end == text.data() + text.size() && depth > 0) return depth;
  throw usage_error("--depth " + text, "not a number above zero");
}

void add_options(CLI::App& app, const FilesAction& action, FilesRequest& request,
                 std::string& depth) {
  add_user(app, request.user);
  if (action.json) app.add_flag("--json", request.json, "print one JSON document");
  if (action.depth) add_value(app, "--depth", depth, "how many levels; default: all");
}

}  // namespace

std::optional<FilesCommand> parse_files(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    throw usage_error("files", "no verb", "'sandboxctl files --help' lists them");
  if (arguments[0] == "-h" || arguments[0] == "--help") {
    print_help();
    return std::nullopt;
  }
  FilesCommand command{.action = &find_action(arguments[0])};
  const FilesAction& action = *command.action;
  FilesRequest& request = command.request;

  const std::string name = std::string("files ") + action.name;
  const std::string usage = "sandboxctl " + name + " [OPTIONS] " + action.usage;
  CLI::App app(action.help, name);
  std::string depth;
  add_options(app, action, request, depth);
  if (!parse_words(app, usage.c_str(), {arguments.begin() + 1, arguments.end()}, request.paths)) {
    return std::nullopt;
  }

  refuse_empty(app, "--user", request.user);
  if (request.paths.empty()) throw usage_error(name, "no sandbox", usage);
  request.id = request.paths.front();
  request.paths.erase(request.paths.begin());
  if (request.paths.size() < action.min_paths) throw usage_error(name, "a path is missing", usage);
  if (request.paths.size() > action.max_paths) {
    throw usage_error(request.paths[action.max_paths], "one word too many", usage);
  }
  if (request.paths.empty()) request.paths.emplace_back(".");
  if (action.depth) request.depth = depth.empty() ? INT_MAX : depth_of(depth);
  return command;
}

}  // namespace sandboxctl
