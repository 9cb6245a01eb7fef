#include "tests/attacks/attack_box.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "sandbox/error.h"

namespace sandbox::test {
namespace {

// The sandbox's uid on the host is another one when root runs the tests, and must be able to reach
// the program: the build directory may lie below a home.
const TempDir& probe_copy() {
  static const TempDir copy = [] {
    TempDir directory;
    std::ifstream program(PROBE_FILE, std::ios::binary);
    std::ostringstream content;
    content << program.rdbuf();
    directory.write("probe", content.str());
    ::chmod(directory.path("probe").c_str(), 0755);
    ::chmod(directory.path().c_str(), 0755);
    return directory;
  }();
  return copy;
}

std::vector<char*> pointers(const Words& words) {
  std::vector<char*> result;
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

UniqueFd text_file(const std::string& text) {
  UniqueFd file{check(::memfd_create("input", MFD_CLOEXEC), "memfd_create")};
  check(::write(file.get(), text.data(), text.size()), "write", "input");
  check(::lseek(file.get(), 0, SEEK_SET), "lseek", "input");
  return file;
}

}  // namespace

Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::map<std::string, std::string> to_results(const std::string& text) {
  std::map<std::string, std::string> results;
  for (const std::string& line : split_lines(text)) {
    const std::size_t space = line.rfind(' ');
    if (space != std::string::npos) results[line.substr(0, space)] = line.substr(space + 1);
  }
  return results;
}

std::string probe_directory() { return probe_copy().path(); }

PlainEnd run_plain(const Words& argv, const std::string& input) {
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const UniqueFd in = text_file(input);
  const std::vector<char*> arguments = pointers(argv);
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    ::dup2(in.get(), 0);
    ::dup2(writer.get(), 1);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
  }
  writer.reset();
  PlainEnd end;
  std::array<char, 65536> block{};
  for (ssize_t got = 0; (got = ::read(reader.get(), block.data(), block.size())) > 0;) {
    end.text.append(block.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  check(::waitpid(pid, &status, 0), "waitpid");
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end;
}

PlainEnd plain_probe(const Words& words, const std::string& input) {
  Words argv{probe_directory() + "/probe"};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_plain(argv, input);
}

const TempDir& AttackBox::data() {
  static const TempDir directory = [] {
    TempDir made;
    // Root's sandboxes are somebody else, who has to get through to the layers.
    check(::chmod(made.path().c_str(), 0711), "chmod", made.path());
    return made;
  }();
  return directory;
}

AttackBox::AttackBox() {
  static_cast<void>(probe_directory());
  runtime_.emplace(RuntimeOptions{.data_directory = data().path("data")});
}

SandboxOptions AttackBox::options() {
  SandboxOptions options;
  options.mounts.push_back({.source = probe_directory(), .target = "/probe"});
  return options;
}

Command command(const Words& argv, const std::string& cwd, std::chrono::milliseconds timeout) {
  Command command;
  command.argv = argv;
  command.cwd = cwd;
  command.timeout = timeout;
  return command;
}

Command probe_command(const Words& words) {
  Words argv{kProbe};
  argv.insert(argv.end(), words.begin(), words.end());
  return command(argv);
}

CommandResult AttackBox::run_probe(const Sandbox& box, const Words& words) {
  return box.commands().run(probe_command(words));
}

Process AttackBox::start_probe(const Sandbox& box, const Words& words) {
  Command command = probe_command(words);
  command.input = Stdin::Pipe;
  return box.commands().start(command);
}

void wait_for_word(Process& process, const std::string& word) {
  std::string line;
  for (char byte = 0; ::read(process.stdout_fd(), &byte, 1) == 1;) {
    if (byte != '\n') {
      line += byte;
    } else if (line == word) {
      return;
    } else {
      line.clear();
    }
  }
  FAIL() << "the probe ended without saying " << word;
}

bool comes_true(const std::function<bool()>& condition, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Between two looks, not a wait.
  }
  return true;
}

}  // namespace sandbox::test
