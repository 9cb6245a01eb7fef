#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/file_owner.h"
#include "sandbox/unique_fd.h"

/// The system calls on files of a sandbox, made with the rights of whom the calling thread acts for
/// (FsIdentity): by this process first, and when that is denied (EACCES, EPERM) by the sandbox's
/// FileAgent, if there is one. So what is owned by another id, or is closed to its owner, costs
/// more, and is the same to the caller.
///
/// As system calls do, they give -1 or nothing and set errno. They throw Error only when the agent
/// cannot be reached. `name` is one component in the directory `dir`; `fd` may be O_PATH.
namespace sandbox::acting {

/// openat2(2); `path` may have several components when `resolve` keeps it below `dir`.
UniqueFd open(int dir, const char* path, uint64_t flags, uint64_t resolve, mode_t mode = 0);
/// Opens what `fd` holds once more, with other flags.
UniqueFd reopen(int fd, int flags);
/// The whole content of a regular file of procfs as a memfd, read by the agent in any case. Empty
/// with EXDEV when there is no agent, or `path` leads to anything else.
UniqueFd read_proc(int dir, const char* path, uint64_t resolve);

/// statx(2) of `name` itself, basic fields and STATX_MNT_ID; symlinks are not followed.
bool status(int dir, const char* name, struct statx& status);
/// The same by fstatat(2).
bool status(int dir, const char* name, struct stat& status);
std::optional<std::string> read_link(int dir, const char* name);

int make_directory(int dir, const char* name, mode_t mode);
int unlink(int dir, const char* name, int flags);
int rename(int dir, const char* name, int new_dir, const char* new_name);
int symlink(const char* text, int dir, const char* name);

int change_owner(int fd, const FileOwner& owner);
int change_mode(int fd, mode_t mode);
int set_times(int fd, const timespec& accessed, const timespec& modified);

/// Extended attributes of what `fd` holds.
std::optional<std::string> attribute(int fd, const char* name);
int set_attribute(int fd, const char* name, std::string_view value);
int remove_attribute(int fd, const char* name);

/// Watch descriptor: inotify_add_watch(2).
int add_watch(int inotify, int fd, uint32_t mask);

}  // namespace sandbox::acting
