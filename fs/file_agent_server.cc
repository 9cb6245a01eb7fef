#include "fs/file_agent_server.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "fs/file_call.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr unsigned kReadSeconds = 10;

// One component. ".." is how a walk goes back up, from a directory to the one it came from.
bool is_component(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos;
}

bool is_confined(const FileCall& call) {
  using Kind = FileCall::Kind;
  switch (call.kind) {
    case Kind::Open:
    case Kind::ReadProc:
      return (call.resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) != 0 || is_component(call.name);
    case Kind::MakeDirectory:
    case Kind::Unlink:
    case Kind::Symlink:
      return is_component(call.name);
    case Kind::Rename:
      return is_component(call.name) && is_component(call.other_name);
    default:
      return true;  // Names no file.
  }
}

FileAnswer perform(const FileRequest& request) {
  if (!is_confined(request.call())) return {.value = -1, .error = EINVAL, .fd = {}, .text = {}};
  // Whose new files are. The securebits keep the capabilities, whatever the id.
  ::syscall(SYS_setfsgid, request.gid());
  ::syscall(SYS_setfsuid, request.uid());
  if (request.call().kind != FileCall::Kind::ReadProc) return perform_file_call(request.call());
  ::alarm(kReadSeconds);
  FileAnswer answer = perform_file_call(request.call());
  ::alarm(0);
  return answer;
}

}  // namespace

void serve_file_calls(const MessageSocket& host) {
  while (const std::optional<Message> message = host.receive()) {
    const FileAnswer answer = perform(FileRequest(message->payload, message->fds));
    const int fd = answer.fd.get();
    host.send(encode(answer), std::span(&fd, fd < 0 ? 0 : 1));
  }
}

}  // namespace sandbox
