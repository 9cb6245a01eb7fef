#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace sandboxctl {

/// Parses `arguments`, those behind the verb, into the options bound to `app`.
///
/// Returns what stands behind the options: from the first word that is no option, or from behind
/// the first `--`, unchanged. `usage` is the line that help begins with. False when help was asked
/// for and has been printed. Throws Failure (usage); an unknown option names the nearest valid one.
bool parse(CLI::App& app, const char* usage, std::vector<std::string> arguments,
           std::vector<std::string>& rest);

/// The same for verbs whose words are all their own: options may stand anywhere before the first
/// `--`, as in `files ls ID --json`. `words` are those that are no options.
bool parse_words(CLI::App& app, const char* usage, std::vector<std::string> arguments,
                 std::vector<std::string>& words);

/// The word of `known` that differs least from `word`, or empty when none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

/// An option that takes one value; giving it twice is an error.
CLI::Option* add_value(CLI::App& app, const std::string& names, std::string& value,
                       const std::string& help);

/// An option that takes one value each time it is given.
CLI::Option* add_values(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                        const std::string& help);

/// -u,--user: whose home relative paths start in, and whose rights count.
void add_user(CLI::App& app, std::string& user);

/// Throws Failure (usage) when `option` was given with an empty value.
void refuse_empty(const CLI::App& app, const char* option, const std::string& value);

}  // namespace sandboxctl
