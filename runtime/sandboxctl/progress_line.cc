#include "runtime/sandboxctl/progress_line.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::milliseconds kInterval{100};
constexpr std::string_view kErase = "\r\x1b[K";

// What the terminal does not take is lost: it is only decoration.
void print(int fd, std::string_view text) noexcept {
  [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

}  // namespace

ProgressLine::ProgressLine(int fd, std::function<Clock::time_point()> now)
    : fd_(fd),
      terminal_(is_terminal(fd)),
      now_(std::move(now)),
      begin_(now_()),
      due_(begin_ + kPatience) {}

ProgressLine::~ProgressLine() {
  if (shown_) print(fd_, kErase);
}

void ProgressLine::update(const sandbox::TransferProgress& progress) {
  if (!terminal_) return;
  const Clock::time_point now = now_();
  if (now < due_) return;
  due_ = now + kInterval;
  // One column stays free: in the last one the cursor would wrap.
  const std::string text = progress_text(progress, now - begin_, terminal_width(fd_) - 1);
  print(fd_, std::string(kErase) + text);
  shown_ = true;
}

std::string progress_text(const sandbox::TransferProgress& progress,
                          std::chrono::duration<double> elapsed, size_t width) {
  const auto rate = static_cast<uint64_t>(static_cast<double>(progress.bytes) / elapsed.count());
  std::string text = progress.files == 0 ? "" : std::to_string(progress.files) + " files, ";
  text += format_size(progress.bytes) + ", " + format_size(rate) + "/s";
  if (!progress.path.empty()) text += "  " + escape_for_terminal(progress.path);
  return std::string(cut(text, width));
}

}  // namespace sandboxctl
