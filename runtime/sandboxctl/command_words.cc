#include "runtime/sandboxctl/command_words.h"

#include <charconv>
#include <optional>
#include <utility>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {

CommandWords command_words(const std::string& verb, const std::vector<std::string>& words,
                           const char* usage) {
  if (words.size() != 2) throw usage_error(verb, "it takes a sandbox and a command", usage);
  if (words[1].empty()) throw usage_error(verb, "the command is an empty word", usage);
  return {.id = words[0], .command = words[1]};
}

pid_t find_command(const sandbox::Sandbox& box, const std::string& word) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
  if (error == std::errc{} && end == word.data() + word.size() && pid > 0) return pid;
  std::optional<sandbox::CommandInfo> newest;
  for (sandbox::CommandInfo& info : box.commands().list()) {
    if (info.tag != word) continue;
    const auto rank = [](const sandbox::CommandInfo& each) {
      return std::pair(each.outcome.has_value(), each.age);
    };
    if (!newest || rank(info) < rank(*newest)) newest = std::move(info);
  }
  if (newest) return newest->pid;
  throw Failure(kFailed, {.doing = "finding the command",
                          .subject = word,
                          .reason = "neither a pid nor the tag of a command",
                          .hint = "'sandboxctl ps' lists the commands"});
}

std::optional<sandbox::CommandInfo> look_at_command(const sandbox::Sandbox& box, pid_t pid) {
  for (sandbox::CommandInfo& info : box.commands().list()) {
    if (info.pid == pid) return std::move(info);
  }
  return std::nullopt;
}

}  // namespace sandboxctl
