// sandboxctl cp: copy files and trees into a sandbox, or out of it.

#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/attached.h"
#include "runtime/sandboxctl/copy.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using Kind = Endpoint::Kind;

constexpr int kIncomplete = 1;
constexpr size_t kNamedAtMost = 10;

constexpr const char* kCpUsage =
    "sandboxctl cp [-r] [-u USER] ID:PATH HOST_PATH|-\n"
    "       sandboxctl cp [-r] [-u USER] HOST_PATH|- ID:PATH";
constexpr const char* kCpFooter =
    "ID:PATH is absolute, or starts in the user's home. '-' is stdin or stdout. A path of\n"
    "the host with a colon takes ./ in front.\n"
    "\n"
    "Into a directory that exists, SRC is copied by its name; else DST is the name of the\n"
    "copy. 'cp -r SRC/. DST' copies what is in SRC into DST. Files are replaced whole, with\n"
    "mode and modification time; symlinks in a tree stay symlinks.\n"
    "\n"
    "Exit codes: 0 all was copied; 1 FIFOs, sockets, devices or other mounts were left out;\n"
    "125 the copy failed; 2 wrong command line.";

void require_one_sandbox(const CopyRequest& request) {
  const bool from = request.from.kind == Kind::Sandbox;
  const bool to = request.to.kind == Kind::Sandbox;
  if (from && to) {
    throw usage_error("cp", "both sides are in sandboxes",
                      "copy to this host first; a path of the host with a colon takes ./ in front");
  }
  if (!from && !to) {
    throw usage_error("cp", "neither side is ID:PATH", "sandboxctl cp SRC ID:PATH");
  }
}

CopyRequest request_of(const std::vector<std::string>& words) {
  if (words.size() < 2) throw usage_error("cp", "two paths are needed", "sandboxctl cp SRC DST");
  if (words.size() > 2) throw usage_error(words[2], "one path too many", "sandboxctl cp SRC DST");
  CopyRequest request{.from = parse_endpoint(words[0]), .to = parse_endpoint(words[1])};
  require_one_sandbox(request);
  return request;
}

std::optional<CopyRequest> parse_copy(const std::vector<std::string>& arguments) {
  CLI::App app("Copies files and trees into a sandbox, or out of it.", "cp");
  app.footer(kCpFooter);
  bool recursively = false;
  std::string user;
  app.add_flag("-r,--recursive", recursively, "copy directories with what is in them");
  add_user(app, user);
  std::vector<std::string> words;
  if (!parse_words(app, kCpUsage, arguments, words)) return std::nullopt;

  refuse_empty(app, "--user", user);
  CopyRequest request = request_of(words);
  request.recursively = recursively;
  request.user = user;
  if (recursively && (request.from.kind == Kind::Stream || request.to.kind == Kind::Stream)) {
    throw usage_error("cp", "-r with '-'", "a stream holds one file");
  }
  return request;
}

void complain_about(const std::vector<std::string>& skipped, const CopyRequest& request) {
  for (size_t i = 0; i < skipped.size() && i < kNamedAtMost; ++i) {
    print_error({.doing = "copying",
                 .subject = request.from.text(),
                 .reason = skipped[i] + ": left out: another mount, a FIFO, a socket or a device"});
  }
  if (skipped.size() <= kNamedAtMost) return;
  print_error({.doing = "copying",
               .subject = request.from.text(),
               .reason = std::to_string(skipped.size() - kNamedAtMost) + " more were left out"});
}

}  // namespace

int cp(const std::vector<std::string>& arguments) {
  const std::optional<CopyRequest> request = parse_copy(arguments);
  if (!request) return 0;
  const bool up = request->to.kind == Kind::Sandbox;
  const Attached box("copying", (up ? request->to : request->from).sandbox);
  const std::vector<std::string> skipped = copy(box.files(), *request);
  box.require_alive();
  complain_about(skipped, *request);
  return skipped.empty() ? 0 : kIncomplete;
}

}  // namespace sandboxctl
