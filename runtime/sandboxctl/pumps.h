#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/sandboxctl/detach_keys.h"

namespace sandboxctl {

/// Moves the bytes of one stream of the command, a piece each time poll(2) says so. Owns no fd; a
/// source of -1 is at its end.
class Pump {
 public:
  explicit Pump(int source) noexcept : source_(source), finished_(source < 0) {}
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  virtual ~Pump() = default;

  /// What to poll for; fd is -1 when there is nothing more to move.
  virtual pollfd wanted() const = 0;
  /// Moves a piece. Throws Failure when our own side fails.
  virtual void advance() = 0;

  /// End of file, or nobody takes the bytes any more.
  bool finished() const noexcept { return finished_; }

  /// To be called when the command has ended: what is in the pipe now is owed to the reader.
  void note_end();
  /// Nothing of what was in the pipe at the end is missing.
  bool settled() const noexcept { return finished_ || owed_ == 0; }

 protected:
  int source() const noexcept { return source_; }
  void finish() noexcept { finished_ = true; }
  void moved(uint64_t bytes) noexcept { owed_ -= bytes < owed_ ? bytes : owed_; }
  virtual uint64_t buffered() const noexcept { return 0; }

 private:
  int source_;
  bool finished_;
  uint64_t owed_ = 0;
};

/// The command's output to one of our descriptors, with splice(2) while both ends are pipes.
class OutputPump final : public Pump {
 public:
  /// `name` is "stdout" or "stderr".
  OutputPump(int source, int sink, const char* name);

  pollfd wanted() const override;
  void advance() override;

 private:
  enum class State { AwaitSource, AwaitSink };

  void splice();
  void read_source();
  void write_sink();
  void sink_failed();
  uint64_t buffered() const noexcept override { return pending_; }

  int sink_;
  const char* name_;
  bool splicing_ = true;
  State state_ = State::AwaitSource;
  std::vector<char> buffer_;  // Made when splice(2) has turned out not to work.
  size_t begin_ = 0;
  size_t pending_ = 0;
};

/// The first `limit` bytes of the command's output, for the result document.
class CapturePump final : public Pump {
 public:
  CapturePump(int source, uint64_t limit);

  pollfd wanted() const override;
  void advance() override;

  const std::string& text() const noexcept { return text_; }
  uint64_t dropped_bytes() const noexcept { return dropped_; }

 private:
  uint64_t limit_;
  std::vector<char> buffer_;
  std::string text_;
  uint64_t dropped_ = 0;
};

/// Our stdin to the command's, read only when the command's pipe has room.
class InputPump final : public Pump {
 public:
  /// `sink` becomes non-blocking; its open file description is ours alone.
  InputPump(int source, int sink);

  /// Keeps `keys` from the command, and finishes at them.
  void detach_at(DetachKeys keys) { keys_ = std::move(keys); }
  bool detached() const noexcept { return keys_ && keys_->complete(); }

  pollfd wanted() const override;
  void advance() override;

 private:
  enum class State { AwaitRoom, AwaitSource };

  void read_source();
  void write_sink();

  int sink_;
  State state_ = State::AwaitRoom;
  std::optional<DetachKeys> keys_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t pending_ = 0;
};

}  // namespace sandboxctl
