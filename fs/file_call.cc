#include "fs/file_call.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "runtime/base/sealed_memfd.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr size_t kLongestAttribute = 64 << 10;  // XATTR_SIZE_MAX.

// For calls that do not take O_PATH: the kernel goes straight to the file, no name is looked up
// again.
std::string link_to(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

FileAnswer answer_with(int64_t result) {
  return {.value = result, .error = result < 0 ? errno : 0, .fd = {}, .text = {}};
}

FileAnswer answer_with_fd(int fd) {
  FileAnswer answer = answer_with(fd < 0 ? -1 : 0);
  answer.fd.reset(fd);
  return answer;
}

FileAnswer get_attribute(const FileCall& call) {
  std::string text(kLongestAttribute, '\0');
  FileAnswer answer =
      answer_with(::getxattr(link_to(call.fd).c_str(), call.name, text.data(), text.size()));
  text.resize(answer.value < 0 ? 0 : static_cast<size_t>(answer.value));
  answer.text = std::move(text);
  return answer;
}

FileAnswer read_whole(const FileCall& call) {
  const std::string link = link_to(call.fd);
  const UniqueFd file(::open(link.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return answer_with(-1);
  try {
    const std::string content = read_to_end(file.get(), "file", kMostReadWhole);
    return answer_with_fd(
        make_sealed_memfd("file", std::as_bytes(std::span(content)), Executable::No).release());
  } catch (const Error& error) {
    errno = error.code().value();
    return answer_with(-1);
  }
}

}  // namespace

FileAnswer perform_file_call(const FileCall& call) {
  using Kind = FileCall::Kind;
  switch (call.kind) {
    case Kind::Open:
      return answer_with_fd(openat2(call.fd, call.name, call.flags, call.resolve, call.mode));
    case Kind::Reopen:
      return answer_with_fd(::open(link_to(call.fd).c_str(), static_cast<int>(call.flags)));
    case Kind::MakeDirectory:
      return answer_with(::mkdirat(call.fd, call.name, call.mode));
    case Kind::Unlink:
      return answer_with(::unlinkat(call.fd, call.name, static_cast<int>(call.flags)));
    case Kind::Rename:
      return answer_with(::renameat(call.fd, call.name, call.other_fd, call.other_name));
    case Kind::Symlink:
      return answer_with(::symlinkat(call.other_name, call.fd, call.name));
    case Kind::ChangeOwner:
      return answer_with(::fchownat(call.fd, "", call.uid, call.gid, AT_EMPTY_PATH));
    case Kind::ChangeMode:
      return answer_with(::chmod(link_to(call.fd).c_str(), call.mode));
    case Kind::SetTimes:
      return answer_with(::utimensat(AT_FDCWD, link_to(call.fd).c_str(), call.times, 0));
    case Kind::GetAttribute:
      return get_attribute(call);
    case Kind::SetAttribute:
      return answer_with(
          ::setxattr(link_to(call.fd).c_str(), call.name, call.value.data(), call.value.size(), 0));
    case Kind::RemoveAttribute:
      return answer_with(::removexattr(link_to(call.fd).c_str(), call.name));
    case Kind::AddWatch:
      return answer_with(::inotify_add_watch(call.other_fd, link_to(call.fd).c_str(), call.mode));
    case Kind::ReadWhole:
      return read_whole(call);
  }
  errno = ENOSYS;
  return answer_with(-1);
}

}  // namespace sandbox
