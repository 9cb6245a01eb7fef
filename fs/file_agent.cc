#include "fs/file_agent.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {

FileAnswer FileAgent::perform(uid_t uid, gid_t gid, const FileCall& call) {
  const FileRequest request(uid, gid, call);
  const std::lock_guard lock(mutex_);
  if (!start_) throw Error(EPIPE, "files", "", "the sandbox has ended");
  send(request);
  std::optional<Message> answer = socket_.receive();
  if (answer) return decode_file_answer(answer->payload, std::move(answer->fds));
  socket_ = MessageSocket();
  throw Error(ECONNRESET, "file agent", call.name,
              "it was killed, or reading a file of /proc took longer than ten seconds");
}

// One that has died since the last call is replaced: it has not seen this request.
void FileAgent::send(const FileRequest& request) {
  const std::vector<std::byte> payload = request.encode();
  const std::vector<int> fds = request.fds();
  if (socket_) {
    try {
      return socket_.send(payload, fds);
    } catch (const Error& error) {
      if (error.code().value() != EPIPE) throw;
    }
  }
  socket_ = start_();
  socket_.send(payload, fds);
}

void FileAgent::close() noexcept {
  Start last;  // Destroyed after the lock is free.
  const std::lock_guard lock(mutex_);
  last = std::exchange(start_, nullptr);
  socket_ = MessageSocket();
}

}  // namespace sandbox
