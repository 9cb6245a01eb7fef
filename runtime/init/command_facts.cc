#include "runtime/init/command_facts.h"

#include <string>
#include <vector>

namespace sandbox {
namespace {

std::vector<std::string> cut(std::vector<std::string> texts) {
  std::size_t left = CommandInfo::kListedBytes;
  std::size_t kept = 0;
  for (std::string& text : texts) {
    if (left == 0) break;
    if (text.size() > left) text.resize(left);
    left -= text.size() < left ? text.size() + 1 : left;
    ++kept;
  }
  texts.resize(kept);
  return texts;
}

std::vector<std::string> names_of(const std::vector<std::string>& variables) {
  std::vector<std::string> names;
  names.reserve(variables.size());
  for (const std::string& variable : variables) {
    names.push_back(variable.substr(0, variable.find('=')));
  }
  return names;
}

}  // namespace

CommandInfo facts_of(const SpawnRequest& request, pid_t pid) {
  CommandInfo info;
  info.pid = pid;
  info.argv = cut(request.argv);
  info.cwd = request.cwd;
  info.env_names = cut(names_of(request.env));
  info.tag = request.tag;
  info.output = request.output.output;
  info.in_terminal = request.terminal.has_value();
  return info;
}

}  // namespace sandbox
