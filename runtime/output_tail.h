#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sandbox {

/// The end of what a command printed, for the message that says why it failed.
class OutputTail {
 public:
  void add(std::string_view chunk) {
    text_.append(chunk);
    if (text_.size() > kMost) text_.erase(0, text_.size() - kMost);
  }

  /// "; it printed: TEXT" without the newlines at its end; empty when it printed nothing.
  std::string told() const {
    const std::string_view text =
        std::string_view(text_).substr(0, text_.find_last_not_of('\n') + 1);
    return text.empty() ? std::string() : "; it printed: " + std::string(text);
  }

 private:
  static constexpr std::size_t kMost = 2000;
  std::string text_;
};

}  // namespace sandbox
