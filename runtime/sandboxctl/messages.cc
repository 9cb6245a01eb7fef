#include "runtime/sandboxctl/messages.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/sandboxctl/text.h"

namespace sandboxctl {

Failure::Failure(int exit_code, Message message)
    : exit_code_(exit_code), message_(std::move(message)), text_(format(message_)) {}

Failure usage_error(std::string_view subject, std::string_view reason, std::string_view hint) {
  return {kUsageError, Message{.doing = "usage",
                               .subject = std::string(subject),
                               .reason = std::string(reason),
                               .hint = std::string(hint)}};
}

Failure system_failure(std::string_view doing, std::string_view subject) {
  const int error = errno;
  return {kFailed, Message{.doing = std::string(doing),
                           .subject = std::string(subject),
                           .reason = std::generic_category().message(error),
                           .hint = {}}};
}

Message describe(std::string_view doing, const sandbox::Error& error) {
  std::string subject = error.call();
  if (!error.subject().empty()) subject += (subject.empty() ? "" : " ") + error.subject();
  return {.doing = std::string(doing),
          .subject = std::move(subject),
          .reason = error.code().message(),
          .hint = error.hint()};
}

std::string format(const Message& message) {
  std::string text = "sandboxctl";
  for (const std::string* part : {&message.doing, &message.subject, &message.reason}) {
    if (!part->empty()) text += ": " + escape_for_terminal(*part);
  }
  text += '\n';
  if (!message.hint.empty()) text += "hint: " + escape_for_terminal(message.hint) + '\n';
  return text;
}

void print_error(const Message& message) noexcept try {
  const std::string text = format(message);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
} catch (const std::exception&) {
  constexpr std::string_view kText = "sandboxctl: out of memory\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText.data(), kText.size());
}

void print_all(int fd, std::string_view name, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_failure("writing", name);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace sandboxctl
