#include "runtime/init/sudo_options.h"

#include <cctype>
#include <string_view>

namespace sandbox {
namespace {

constexpr std::string_view kIgnored = "AHknSv";  // Passwords, and HOME, which is set anyway.

// One option with a value, `-u NAME` or `-uNAME`, or a bundle of letters: `-nE`.
class Parser {
 public:
  explicit Parser(const std::vector<std::string>& words) : words_(words) {}

  SudoOptions parse() {
    while (next_ < words_.size() && is_option(words_[next_])) {
      const std::string word = words_[next_++];
      if (word == "--") break;
      if (word.starts_with("--")) {
        take_long(word);
      } else {
        take_letters(word);
      }
    }
    while (next_ < words_.size() && is_assignment(words_[next_])) {
      options_.variables.push_back(words_[next_++]);
    }
    options_.command.assign(words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
    return std::move(options_);
  }

 private:
  static bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

  static bool is_assignment(const std::string& word) {
    const std::size_t end = word.find('=');
    if (end == std::string::npos || end == 0) return false;
    return word.find('/') > end;
  }

  std::string value(const std::string& option) {
    if (next_ >= words_.size()) throw SudoRefusal("option " + option + " needs a value");
    return words_[next_++];
  }

  void take_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const char letter = word[i];
      if (letter == 'u' || letter == 'p') {
        const std::string rest = word.substr(i + 1);
        const std::string given = rest.empty() ? value(word) : rest;
        if (letter == 'u') options_.user = given;
        return;
      }
      take(letter, word);
    }
  }

  void take(char letter, const std::string& word) {
    if (letter == 'h') {
      options_.help = true;
    } else if (letter == 'E') {
      options_.keep_environment = true;
    } else if (letter == 'i') {
      options_.shell = SudoOptions::Shell::Login;
    } else if (letter == 's') {
      options_.shell = SudoOptions::Shell::Simple;
    } else if (kIgnored.find(letter) == std::string_view::npos) {
      refuse(word);
    }
  }

  void take_long(const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    if (name == "--user" || name == "--prompt") {
      const std::string given =
          name.size() < word.size() ? word.substr(name.size() + 1) : value(name);
      if (name == "--user") options_.user = given;
    } else if (word == "--help") {
      options_.help = true;
    } else if (name == "--preserve-env") {
      options_.keep_environment = true;
    } else if (word == "--login") {
      options_.shell = SudoOptions::Shell::Login;
    } else if (word == "--shell") {
      options_.shell = SudoOptions::Shell::Simple;
    } else if (word != "--non-interactive" && word != "--set-home" && word != "--stdin") {
      refuse(word);
    }
  }

  [[noreturn]] static void refuse(const std::string& word) {
    throw SudoRefusal("option " + word + " has no meaning in a sandbox; -h lists those that do");
  }

  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
  SudoOptions options_;
};

}  // namespace

SudoOptions parse_sudo(const std::vector<std::string>& words) { return Parser(words).parse(); }

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    for (const char c : word) {
      const bool plain =
          std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '$';
      if (!plain) line += '\\';
      line += c;
    }
  }
  return line;
}

}  // namespace sandbox
