#include "tests/cli/tmux.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

struct ClosePipe {
  void operator()(FILE* pipe) const { ::pclose(pipe); }
};

std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, ClosePipe> pipe(::popen(command.c_str(), "re"));
  if (!pipe) throw std::runtime_error("popen: " + command);
  std::string output;
  std::array<char, 4096> block{};
  while (const size_t got = std::fread(block.data(), 1, block.size(), pipe.get())) {
    output.append(block.data(), got);
  }
  return output;
}

std::string without_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Tmux::Tmux(const std::string& sandbox_home)
    : shell_("exec env PS1='host> ' SANDBOX_HOME=" + quoted(sandbox_home) +
             " sandboxctl=" SANDBOXCTL " sh") {
  require_program("tmux");
  run({"-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", shell_});
  await("host>");
}

Tmux::~Tmux() { run({"kill-server"}); }

void Tmux::type(const std::string& text) const { run({"send-keys", "-l", "--", text}); }

void Tmux::type_line(const std::string& line) const {
  type(line);
  press("Enter");
}

void Tmux::press(const std::string& key) const { run({"send-keys", key}); }

void Tmux::resize(int cols, int rows) const {
  run({"resize-window", "-x", std::to_string(cols), "-y", std::to_string(rows)});
}

void Tmux::reopen() const {
  run({"respawn-pane", "-k", shell_});
  await("host>");
}

std::string Tmux::screen() const { return run({"capture-pane", "-p"}); }

void Tmux::await(const std::string& text) const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (screen().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) {
      FAIL() << "no \"" << text << "\" on\n" << screen();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // Between two looks, not a wait.
  }
}

std::string Tmux::variable(const std::string& name) const {
  return without_newline(run({"display-message", "-p", "#{" + name + "}"}));
}

std::string Tmux::modes() const { return output_of("stty -a -F " + quoted(variable("pane_tty"))); }

pid_t Tmux::foreground() const {
  const std::string shell = variable("pane_pid");
  std::ifstream children("/proc/" + shell + "/task/" + shell + "/children");
  pid_t pid = -1;
  children >> pid;
  return pid;
}

// To kill(2), -1 is everybody.
void Tmux::kill_foreground(int signal) const {
  const pid_t pid = foreground();
  if (pid <= 1) throw std::runtime_error("nothing runs in the terminal");
  ::kill(pid, signal);
}

std::string Tmux::run(const std::vector<std::string>& words) const {
  std::string command = "TMUX= TMUX_TMPDIR=" + quoted(directory_.path()) + " tmux";
  for (const std::string& word : words) command += ' ' + quoted(word);
  return output_of(command + " 2>&1 < /dev/null");
}

}  // namespace sandbox::test
