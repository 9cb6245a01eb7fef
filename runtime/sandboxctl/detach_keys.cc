#include "runtime/sandboxctl/detach_keys.h"

#include <algorithm>
#include <optional>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

constexpr std::string_view kControl = "ctrl-";
constexpr char kControlBits = 0x1f;  // What a terminal makes of a letter with Ctrl.

std::optional<char> key_of(std::string_view name) {
  if (name.size() == 1) return name.front();
  if (!name.starts_with(kControl) || name.size() != kControl.size() + 1) return std::nullopt;
  const char letter = name.back();
  constexpr std::string_view kOthers = "@[\\]^_";
  if ((letter < 'a' || letter > 'z') && kOthers.find(letter) == std::string_view::npos) {
    return std::nullopt;
  }
  return static_cast<char>(letter & kControlBits);
}

}  // namespace

DetachKeys::DetachKeys(const std::string& keys) {
  std::string_view rest = keys;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(',', 1));
    const std::optional<char> key = key_of(name);
    if (!key) {
      throw usage_error("--detach-keys " + keys, "not keys such as ctrl-p,ctrl-q or ctrl-a,d");
    }
    keys_ += *key;
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
}

std::string DetachKeys::pass(std::string_view typed) {
  if (keys_.empty()) return std::string(typed);
  std::string passed;
  for (const char key : typed) {
    held_ += key;
    while (!keys_.starts_with(held_)) {
      passed += held_.front();
      held_.erase(0, 1);
    }
    complete_ = held_ == keys_;
    if (complete_) break;
  }
  return passed;
}

}  // namespace sandboxctl
