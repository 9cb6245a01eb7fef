#include "runtime/sandboxctl/arguments.h"

#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/text.h"

namespace sandboxctl {
namespace {

// CLI11 writes the usage line from the positional arguments it knows; ours are the command's.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(const char* usage) : usage_(usage) { column_width(28); }
  std::string make_usage(const CLI::App*, std::string) const override {
    return std::string("Usage: ") + usage_ + "\n";
  }

 private:
  const char* usage_;
};

bool looks_like_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Failure unknown_option(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::string near = name.starts_with("--") ? nearest(name, long_options(app)) : "";
  const std::string other = near.empty() ? "" : "; did you mean " + near + "?";
  return usage_error(name, "no such option" + other,
                     "'sandboxctl " + app.get_name() + " --help' lists the options");
}

// False when help was asked for and has been printed.
bool take_options(CLI::App& app, const char* usage, std::vector<std::string> arguments) {
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes a stack.
    app.parse(std::move(arguments));
    return true;
  } catch (const CLI::CallForHelp&) {
    app.formatter(std::make_shared<HelpFormatter>(usage));
    print_all(STDOUT_FILENO, "stdout", app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw usage_error(error.what(), "",
                      "'sandboxctl " + app.get_name() + " --help' lists the options");
  }
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
  if (best == known.end()) return {};
  for (const std::string& candidate : known) {
    if (word.size() > 4 && candidate.starts_with(word)) return candidate;
  }
  const size_t tolerated = word.size() < 6 ? 1 : 2;
  return edit_distance(word, *best) <= tolerated ? *best : std::string{};
}

bool parse(CLI::App& app, const char* usage, std::vector<std::string> arguments,
           std::vector<std::string>& rest) {
  app.prefix_command();  // The first word that is no option ends the options: `run ls --all`.
  if (!take_options(app, usage, std::move(arguments))) return false;
  rest = app.remaining();
  if (!rest.empty() && rest.front() == "--") {
    rest.erase(rest.begin());
  } else if (!rest.empty() && looks_like_option(rest.front())) {
    throw unknown_option(app, rest.front());
  }
  return true;
}

bool parse_words(CLI::App& app, const char* usage, std::vector<std::string> arguments,
                 std::vector<std::string>& words) {
  app.allow_extras();  // Not as values of an option: CLI11 takes "[a,b]" apart there.
  if (!take_options(app, usage, std::move(arguments))) return false;
  bool options_ended = false;
  for (const std::string& word : app.remaining()) {
    if (!options_ended && word == "--") {
      options_ended = true;
    } else if (!options_ended && looks_like_option(word)) {
      throw unknown_option(app, word);
    } else {
      words.push_back(word);
    }
  }
  return true;
}

CLI::Option* add_value(CLI::App& app, const std::string& names, std::string& value,
                       const std::string& help) {
  return app.add_option(names, value, help)->type_size(1)->expected(1);
}

CLI::Option* add_values(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                        const std::string& help) {
  return app.add_option(names, values, help)->type_size(1)->allow_extra_args(false);
}

void add_user(CLI::App& app, std::string& user) {
  add_value(app, "-u,--user", user, "whose home relative paths start in, and whose rights count");
}

void refuse_empty(const CLI::App& app, const char* option, const std::string& value) {
  if (app.count(option) > 0 && value.empty()) throw usage_error(option, "the value is empty");
}

}  // namespace sandboxctl
