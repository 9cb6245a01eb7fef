#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>

#include "fs/file_call.h"
#include "runtime/base/message_socket.h"

namespace sandbox {

/// A process that makes file calls with rights which this one lacks: in the user namespace of a
/// sandbox, with the capabilities that root has for files there. Started when it is needed first,
/// and again when it was killed. See serve_file_calls() for its side.
///
/// Safe to use from several threads; calls go one after the other, a round trip each.
class FileAgent {
 public:
  /// Starts the process and gives a connection to it. Throws Error.
  using Start = std::function<MessageSocket()>;

  explicit FileAgent(Start start) : start_(std::move(start)) {}

  /// Makes a call as `uid` and `gid`, ids inside the sandbox, which also count in the call itself.
  /// Throws Error: what Start throws; ECONNRESET when the process was killed meanwhile, so that
  /// nobody knows whether the call was made; EPIPE after close().
  FileAnswer perform(uid_t uid, gid_t gid, const FileCall& call);

  /// Ends the process.
  void close() noexcept;

 private:
  void send(const FileRequest& request);

  std::mutex mutex_;
  Start start_;
  MessageSocket socket_;
};

}  // namespace sandbox
