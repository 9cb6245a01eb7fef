#include "runtime/sandboxctl/environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/unique_fd.h"

namespace sandboxctl {
namespace {

constexpr size_t kLargestFile = 4 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kReading = "reading the environment file";

void set(Environment& env, std::string_view name, std::string_view assignment) {
  if (name.size() < assignment.size()) {
    env.insert_or_assign(std::string(name), std::string(assignment.substr(name.size() + 1)));
  } else if (const char* own = std::getenv(std::string(name).c_str())) {
    env.insert_or_assign(std::string(name), own);
  }
}

const char* complaint(std::string_view name, std::string_view line) {
  if (line.find('\0') != std::string_view::npos) return "a NUL byte cannot be in a variable";
  if (name.empty()) return "the variable has no name";
  if (name.find_first_of(" \t") != std::string_view::npos)
    return "white space in a variable's name";
  return nullptr;
}

std::string read_file(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer is an empty file then, and not a hang.
  const sandbox::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!fd) throw system_failure(kReading, path);

  std::string text;
  char buffer[64 << 10];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_failure(kReading, path);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kLargestFile) {
      throw Failure(kFailed, {std::string(kReading), path, "larger than 4 MiB", {}});
    }
  }
}

}  // namespace

void add_variable(Environment& env, const std::string& argument) {
  const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
  if (name.empty()) throw usage_error("--env " + argument, "the variable has no name");
  set(env, name, argument);
}

void add_lines(Environment& env, std::string_view text, const std::string& path) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
    if (line.empty() || line.starts_with('#')) continue;

    const std::string_view name = line.substr(0, line.find('='));
    if (const char* reason = complaint(name, line)) {
      throw Failure(kFailed,
                    {std::string(kReading), path + ":" + std::to_string(number), reason, {}});
    }
    set(env, name, line);
  }
}

void add_file(Environment& env, const std::string& path) { add_lines(env, read_file(path), path); }

}  // namespace sandboxctl
