#pragma once

#include <string>
#include <string_view>

namespace sandboxctl {

/// The keys that, typed one after the other, let go of a command in a terminal and leave it
/// running: those of docker(1) unless told otherwise.
class DetachKeys {
 public:
  static constexpr const char* kDefault = "ctrl-p,ctrl-q";

  /// Keys, separated by commas: a character, or ctrl- and one of a-z @ [ \ ] ^ _. Empty: there are
  /// none. Throws Failure (usage).
  explicit DetachKeys(const std::string& keys = kDefault);

  /// What of `typed`, and of what was held back before, is for the command. What may be the
  /// beginning of the keys is held back until the next one tells.
  std::string pass(std::string_view typed);
  /// They were typed. What followed them is lost.
  bool complete() const noexcept { return complete_; }

 private:
  std::string keys_;
  std::string held_;
  bool complete_ = false;
};

}  // namespace sandboxctl
