#include "fs/file_call.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
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

FileAnswer fail_with(int error) {
  errno = error;
  return answer_with(-1);
}

// What is hidden of /proc has something of another file system mounted on it.
bool is_procfs(int fd) {
  struct statfs system = {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

bool is_regular(int fd) {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Looked up here, too, and not by who asks: below /proc/sys, that decides whose namespaces count.
FileAnswer read_proc(const FileCall& call) {
  const UniqueFd found(openat2(call.fd, call.name, O_PATH, call.resolve));
  if (!found) return answer_with(-1);
  if (!is_procfs(found.get()) || !is_regular(found.get())) return fail_with(EXDEV);
  const std::string link = link_to(found.get());
  const UniqueFd file(::open(link.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return answer_with(-1);
  try {
    const std::string content = read_to_end(file.get(), "file", kMostOfProc);
    return answer_with_fd(
        make_sealed_memfd("file", std::as_bytes(std::span(content)), Executable::No).release());
  } catch (const Error& error) {
    return fail_with(error.code().value());
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
    case Kind::ReadProc:
      return read_proc(call);
  }
  return fail_with(ENOSYS);
}

}  // namespace sandbox
