#pragma once

#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "runtime/sandboxctl/signals.h"

namespace sandboxctl {

/// A request to end that came while something had to be undone first. Thrown through the library,
/// whose destructors undo it; main() then ends this process by the signal.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) noexcept : signal_(signal) {}

  int signal() const noexcept { return signal_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_;
};

/// Throws Interrupted when a signal waits.
void throw_if_interrupted(const SignalInbox& inbox);

/// Our stdin in pieces, for Files::write_chunks.
class StdinSource {
 public:
  explicit StdinSource(const SignalInbox& inbox);

  /// The next piece, valid until the next call; empty at the end. Throws Interrupted, and Failure
  /// when stdin cannot be read.
  std::string_view next();

 private:
  const SignalInbox& inbox_;
  std::vector<char> buffer_;
};

}  // namespace sandboxctl
