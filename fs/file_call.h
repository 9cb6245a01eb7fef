#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// One system call that needs rights to a file: all that operations on the files of a sandbox ask
/// of the kernel besides reading and writing what is open. It is made by this process, or by a
/// FileAgent that has rights in the sandbox which this process lacks; either way by
/// perform_file_call(), so that the same calls decide what a path means.
///
/// Everything is named by a descriptor, or by a name and the directory it is in. Plain data; which
/// fields count is said at each kind.
struct FileCall {
  enum class Kind : uint32_t {
    Open,           ///< openat2(2): fd, name, flags, mode, resolve. Gives a descriptor.
    Reopen,         ///< open(2) of what the O_PATH descriptor fd holds: flags. Gives a descriptor.
    MakeDirectory,  ///< mkdirat(2): fd, name, mode.
    Unlink,         ///< unlinkat(2): fd, name, flags.
    Rename,         ///< renameat(2): fd, name, other_fd, other_name.
    Symlink,        ///< symlinkat(2): other_name is its text; fd, name.
    ChangeOwner,    ///< fchownat(2) of fd itself: uid, gid.
    ChangeMode,     ///< chmod(2) of fd itself: mode.
    SetTimes,       ///< utimensat(2) of fd itself: times.
    GetAttribute,   ///< getxattr(2) of fd itself: name. Gives text.
    SetAttribute,   ///< setxattr(2) of fd itself: name, value.
    RemoveAttribute,  ///< removexattr(2) of fd itself: name.
    AddWatch,         ///< inotify_add_watch(2) by the instance other_fd of fd itself: mode.
    ReadProc,         ///< A regular file of procfs: fd, name, resolve. Gives all it has as a memfd.
  };

  Kind kind = Kind::Open;
  int fd = -1;
  int other_fd = -1;
  const char* name = "";
  const char* other_name = "";
  std::string_view value = {};
  uint64_t flags = 0;
  uint64_t resolve = 0;
  uint32_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec times[2] = {};
};

/// EFBIG beyond, for ReadProc. Files of procfs have no size that would tell before.
inline constexpr size_t kMostOfProc = 64 << 20;

struct FileAnswer {
  int64_t value = -1;  ///< What the call returned, if not a descriptor; negative when it failed.
  int error = 0;       ///< Its errno then.
  UniqueFd fd;
  std::string text;
};

/// Makes the call with the rights of the calling thread.
FileAnswer perform_file_call(const FileCall& call);

/// A call on its way to a FileAgent: the ids inside to act as, and the call with the strings that
/// it points to. Its descriptors travel beside it.
class FileRequest {
 public:
  FileRequest(uid_t uid, gid_t gid, const FileCall& call);
  /// `fds` are borrowed. Throws Error with EBADMSG.
  FileRequest(std::span<const std::byte> payload, std::span<const UniqueFd> fds);
  FileRequest(const FileRequest&) = delete;
  FileRequest& operator=(const FileRequest&) = delete;

  std::vector<std::byte> encode() const;
  std::vector<int> fds() const;

  uid_t uid() const noexcept { return uid_; }
  gid_t gid() const noexcept { return gid_; }
  const FileCall& call() const noexcept { return call_; }

 private:
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::string name_;
  std::string other_name_;
  std::string value_;
  FileCall call_;
};

std::vector<std::byte> encode(const FileAnswer& answer);
/// Throws Error with EBADMSG.
FileAnswer decode_file_answer(std::span<const std::byte> payload, std::vector<UniqueFd> fds);

}  // namespace sandbox
