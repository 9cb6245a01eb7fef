// sandboxctl watch: print the changes of a directory until interrupted.

#include <optional>
#include <string>
#include <vector>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/attached.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/file_errors.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"
#include "runtime/sandboxctl/watch_changes.h"

namespace sandboxctl {
namespace {

constexpr const char* kWatchUsage = "sandboxctl watch [-r] [--json] [-u USER] ID PATH";
constexpr const char* kWatchFooter =
    "A line for each change: create, write, remove, rename (the old name), chmod, and the path\n"
    "below PATH; rescan when changes came faster than they could be read and were lost. The\n"
    "first line, on stderr or with --json on stdout, says that the watch has begun.\n"
    "\n"
    "Exit codes: 0 ended by SIGINT or SIGTERM; 125 the sandbox or the directory is gone, or\n"
    "cannot be watched; 2 wrong command line.";

struct WatchRequest {
  std::string id{};
  std::string path{};
  sandbox::WatchOptions options{};
  bool json = false;
};

std::optional<WatchRequest> parse_watch(const std::vector<std::string>& arguments) {
  CLI::App app("Prints the changes of a directory until interrupted.", "watch");
  app.footer(kWatchFooter);
  WatchRequest request;
  app.add_flag("-r,--recursive", request.options.recursive, "also below its sub-directories");
  app.add_flag("--json", request.json, "print a JSON document a line");
  add_user(app, request.options.user);
  std::vector<std::string> words;
  if (!parse_words(app, kWatchUsage, arguments, words)) return std::nullopt;

  refuse_empty(app, "--user", request.options.user);
  if (words.empty()) throw usage_error("watch", "no sandbox", kWatchUsage);
  if (words.size() < 2) throw usage_error("watch", "no directory", kWatchUsage);
  if (words.size() > 2) throw usage_error(words[2], "one word too many", kWatchUsage);
  request.id = words[0];
  request.path = words[1];
  return request;
}

// What happens from now on is reported: scripts wait for this.
void announce(const WatchDisplay& display) {
  if (!display.json) {
    print_error({.doing = "watching", .subject = display.subject});
    return;
  }
  nlohmann::ordered_json object{{"type", "start"}};
  add_bytes(object, {{"name", ""}});
  print_output(dump_line(object));
}

}  // namespace

int watch(const std::vector<std::string>& arguments) {
  const std::optional<WatchRequest> request = parse_watch(arguments);
  if (!request) return 0;
  const SignalInbox inbox;
  const Attached box("watching", request->id);
  const WatchDisplay display{.subject = request->id + ":" + request->path,
                             .json = request->json,
                             .sandbox_pidfd = box.pidfd()};
  sandbox::Watcher watcher = explained("watching", display.subject, [&] {
    return box.files().watch(request->path, request->options);
  });
  announce(display);
  print_changes(watcher, inbox, display);
  return 0;
}

}  // namespace sandboxctl
