#include "fs/acting.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "fs/file_agent.h"
#include "fs/file_call.h"
#include "fs/fs_identity.h"
#include "runtime/base/syscalls.h"

namespace sandbox::acting {
namespace {

using Kind = FileCall::Kind;

constexpr int kSelf = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

bool is_denied(int error) { return error == EACCES || error == EPERM; }

FileAnswer by_agent(const Actor& actor, const FileCall& call) {
  return actor.agent->perform(actor.uid, actor.gid, call);
}

FileAnswer perform(const FileCall& call) {
  const Actor* actor = FsIdentity::current();
  const bool has_agent = actor != nullptr && actor->agent != nullptr;
  if (has_agent && actor->agent_only) return by_agent(*actor, call);
  FileAnswer answer = perform_file_call(call);
  if (!has_agent || !is_denied(answer.error)) return answer;
  return by_agent(*actor, call);
}

int result_of(const FileAnswer& answer) {
  if (answer.value < 0) errno = answer.error;
  return static_cast<int>(answer.value);
}

UniqueFd fd_of(FileAnswer answer) {
  if (!answer.fd) errno = answer.error;
  return std::move(answer.fd);
}

// What a denied stat or readlink needs of the agent is a descriptor only, which everybody may look
// at; ids then are those of this process's user namespace, and not of the agent's.
UniqueFd pin(int dir, const char* name) {
  return acting::open(dir, name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

// Whether to go straight to pin(), or after a denial.
bool asks_agent_first() {
  const Actor* actor = FsIdentity::current();
  return actor != nullptr && actor->agent_only;
}

}  // namespace

UniqueFd open(int dir, const char* path, uint64_t flags, uint64_t resolve, mode_t mode) {
  return fd_of(perform({.kind = Kind::Open,
                        .fd = dir,
                        .name = path,
                        .flags = flags,
                        .resolve = resolve,
                        .mode = mode}));
}

UniqueFd reopen(int fd, int flags) {
  const auto bits = static_cast<uint64_t>(flags | O_CLOEXEC);
  return fd_of(perform({.kind = Kind::Reopen, .fd = fd, .flags = bits}));
}

UniqueFd read_proc(int dir, const char* path, uint64_t resolve) {
  const Actor* actor = FsIdentity::current();
  if (actor == nullptr || actor->agent == nullptr) {
    errno = EXDEV;
    return {};
  }
  return fd_of(
      by_agent(*actor, {.kind = Kind::ReadProc, .fd = dir, .name = path, .resolve = resolve}));
}

bool status(int dir, const char* name, struct statx& status) {
  constexpr unsigned kMask = STATX_BASIC_STATS | STATX_MNT_ID;
  if (!asks_agent_first()) {
    if (::statx(dir, name, kSelf, kMask, &status) == 0) return true;
    if (!is_denied(errno)) return false;
  }
  const UniqueFd entry = pin(dir, name);
  return entry && ::statx(entry.get(), "", AT_EMPTY_PATH, kMask, &status) == 0;
}

bool status(int dir, const char* name, struct stat& status) {
  if (!asks_agent_first()) {
    if (::fstatat(dir, name, &status, kSelf) == 0) return true;
    if (!is_denied(errno)) return false;
  }
  const UniqueFd entry = pin(dir, name);
  return entry && ::fstatat(entry.get(), "", &status, AT_EMPTY_PATH) == 0;
}

std::optional<std::string> read_link(int dir, const char* name) {
  char text[PATH_MAX];
  ssize_t length = -1;
  errno = EACCES;
  if (!asks_agent_first()) length = ::readlinkat(dir, name, text, sizeof text);
  if (length < 0 && is_denied(errno)) {
    const UniqueFd link = pin(dir, name);
    if (link) length = ::readlinkat(link.get(), "", text, sizeof text);
  }
  if (length < 0) return std::nullopt;
  return std::string(text, static_cast<size_t>(length));
}

int make_directory(int dir, const char* name, mode_t mode) {
  return result_of(perform({.kind = Kind::MakeDirectory, .fd = dir, .name = name, .mode = mode}));
}

int unlink(int dir, const char* name, int flags) {
  const auto bits = static_cast<uint64_t>(flags);
  return result_of(perform({.kind = Kind::Unlink, .fd = dir, .name = name, .flags = bits}));
}

int rename(int dir, const char* name, int new_dir, const char* new_name) {
  return result_of(perform({.kind = Kind::Rename,
                            .fd = dir,
                            .other_fd = new_dir,
                            .name = name,
                            .other_name = new_name}));
}

int symlink(const char* text, int dir, const char* name) {
  return result_of(perform({.kind = Kind::Symlink, .fd = dir, .name = name, .other_name = text}));
}

// The one call with ids, which have other numbers on the other side.
int change_owner(int fd, const FileOwner& owner) {
  const Actor* actor = FsIdentity::current();
  const bool has_agent = actor != nullptr && actor->agent != nullptr;
  if (!has_agent || !actor->agent_only) {
    const int result = ::fchownat(fd, "", owner.host_uid, owner.host_gid, AT_EMPTY_PATH);
    if (result == 0 || !has_agent || !is_denied(errno)) return result;
  }
  return result_of(
      by_agent(*actor, {.kind = Kind::ChangeOwner, .fd = fd, .uid = owner.uid, .gid = owner.gid}));
}

int change_mode(int fd, mode_t mode) {
  return result_of(perform({.kind = Kind::ChangeMode, .fd = fd, .mode = mode}));
}

int set_times(int fd, const timespec& accessed, const timespec& modified) {
  return result_of(perform({.kind = Kind::SetTimes, .fd = fd, .times = {accessed, modified}}));
}

std::optional<std::string> attribute(int fd, const char* name) {
  FileAnswer answer = perform({.kind = Kind::GetAttribute, .fd = fd, .name = name});
  if (result_of(answer) < 0) return std::nullopt;
  return std::move(answer.text);
}

int set_attribute(int fd, const char* name, std::string_view value) {
  return result_of(perform({.kind = Kind::SetAttribute, .fd = fd, .name = name, .value = value}));
}

int remove_attribute(int fd, const char* name) {
  return result_of(perform({.kind = Kind::RemoveAttribute, .fd = fd, .name = name}));
}

int add_watch(int inotify, int fd, uint32_t mask) {
  return result_of(perform({.kind = Kind::AddWatch, .fd = fd, .other_fd = inotify, .mode = mask}));
}

}  // namespace sandbox::acting
