// sandboxctl ps: the commands of a sandbox.

#include <algorithm>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/report.h"
#include "runtime/sandboxctl/table.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;
using Commands = std::vector<sandbox::CommandInfo>;
using Texts = std::vector<std::string>;

constexpr const char* kPsUsage = "sandboxctl ps ID";

const char* word_for(sandbox::CommandState state) {
  switch (state) {
    case sandbox::CommandState::Running:
      return "running";
    case sandbox::CommandState::Stopped:
      return "stopped";
    case sandbox::CommandState::Ended:
      return "ended";
  }
  return "";
}

const char* word_for(sandbox::Output output) {
  return output == sandbox::Output::Kept ? "kept" : "piped";
}

bool all_utf8(const sandbox::CommandInfo& command) {
  return std::all_of(command.argv.begin(), command.argv.end(), is_utf8) &&
         std::all_of(command.env_names.begin(), command.env_names.end(), is_utf8) &&
         is_utf8(command.cwd) && is_utf8(command.tag);
}

Texts escaped(Texts texts) {
  for (std::string& text : texts) text = escape_bytes(text);
  return texts;
}

ordered_json fields(sandbox::CommandInfo command) {
  const bool is_text = all_utf8(command);
  if (!is_text) {
    command.argv = escaped(std::move(command.argv));
    command.env_names = escaped(std::move(command.env_names));
    command.cwd = escape_bytes(command.cwd);
    command.tag = escape_bytes(command.tag);
  }
  ordered_json object = {{"pid", command.pid},
                         {"state", word_for(command.state)},
                         {"outcome", nullptr},
                         {"argv", command.argv},
                         {"cwd", command.cwd},
                         {"env_names", command.env_names},
                         {"tag", command.tag},
                         {"encoding", is_text ? "utf-8" : "escaped"},
                         {"output", word_for(command.output)},
                         {"tty", command.in_terminal},
                         {"age_ms", command.age.count()},
                         {"stdout_bytes", command.stdout_bytes},
                         {"stderr_bytes", command.stderr_bytes}};
  if (command.outcome) object["outcome"] = outcome_fields(*command.outcome);
  return object;
}

std::string document(const Commands& commands) {
  auto all = ordered_json::array();
  for (const sandbox::CommandInfo& command : commands) all.push_back(fields(command));
  return dump({{"commands", all}});
}

std::string joined(const Texts& argv) {
  std::string line;
  for (const std::string& argument : argv) {
    if (!line.empty()) line += ' ';
    line += escape_for_terminal(argument);
  }
  return line;
}

std::string state_of(const sandbox::CommandInfo& command) {
  return command.outcome ? sandbox::to_string(*command.outcome) : word_for(command.state);
}

std::string table(const Commands& commands) {
  using Align = Table::Align;
  Table table({Align::Right, Align::Left, Align::Right, Align::Left, Align::Left, Align::Left});
  table.add({"PID", "STATE", "AGE", "OUTPUT", "TAG", "COMMAND"});
  for (const sandbox::CommandInfo& command : commands) {
    table.add({std::to_string(command.pid), state_of(command), format_age(command.age),
               word_for(command.output),
               command.tag.empty() ? "-" : escape_for_terminal(command.tag), joined(command.argv)});
  }
  return table.text();
}

}  // namespace

int ps(const std::vector<std::string>& arguments) {
  CLI::App app("Lists the commands of a sandbox: running ones, and those left by 'exec -d'.", "ps");
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  std::vector<std::string> words;
  if (!parse_words(app, kPsUsage, arguments, words)) return 0;
  if (words.size() != 1) throw usage_error("ps", "it takes one sandbox", kPsUsage);

  sandbox::Runtime runtime = start_runtime();
  const Commands commands = attach_sandbox(runtime, words.front()).commands().list();
  print_output(json ? document(commands) : table(commands));
  return 0;
}

}  // namespace sandboxctl
