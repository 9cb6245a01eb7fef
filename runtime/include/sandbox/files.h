#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/entry_info.h"

namespace sandbox {

class FilesContext;

struct ReadOptions {
  std::string user = {};  ///< Whose home relative paths start in and whose rights count.
  int64_t offset = 0;     ///< Bytes to skip. Beyond the end: nothing is read.
  std::optional<int64_t> length = {};  ///< At most so many bytes; nothing: to the end.
  /// read() refuses longer results with EFBIG, so that a file inside cannot exhaust the host.
  uint64_t limit = 256 << 20;
};

enum class WriteMode {
  /// Creates, or truncates and fills: readers may see a part. A file with other hard links is
  /// replaced instead, so that what the other names lead to stays as it is.
  InPlace,
  /// Writes a hidden file beside it and renames: readers see all or nothing, and two writers never
  /// mix. Replaces whatever has the name, symlinks and FIFOs too, except directories.
  Atomic,
};

struct WriteOptions {
  std::string user = {};
  WriteMode mode = WriteMode::InPlace;
  Metadata metadata = {};  ///< Replaces the whole set: none given, none left.
};

struct ListOptions {
  std::string user = {};
  int depth = 1;                     ///< 1: the entries of the directory itself. Below 1 is EINVAL.
  bool metadata = false;             ///< Fill EntryInfo::metadata.
  uint64_t max_entries = 1'000'000;  ///< E2BIG beyond.
};

/// What write() tells of the file it wrote.
struct WriteInfo {
  std::string name = {};
  std::string path = {};
  EntryType type = EntryType::File;
};

/// Receives a file piece by piece. `chunk` is valid during the call.
using ChunkCallback = std::function<void(std::string_view chunk)>;
/// Gives the next piece of a file, and an empty one at its end.
using ChunkSource = std::function<std::string_view()>;

/// The files of one sandbox, from the host, straight through the kernel.
///
/// Paths: absolute; `~` and `~/x` and relative paths start in the user's home. Symlinks lead where
/// they lead for a process inside, never out. Bytes, any but NUL; below 4096 of them. `user` is a
/// name known in the sandbox and defaults to its default user, who owns what is created, missing
/// parents included.
///
/// All calls throw Error, whose errno tells: ENOENT, EISDIR, ENOTDIR, EEXIST, ENOTEMPTY, EACCES and
/// EPERM, ENOSPC, ELOOP (too many symlinks), EXDEV (/proc, /dev and other mounts that are no part
/// of the file system), EINVAL (empty path, NUL, unknown user, negative range; FIFO, socket or
/// device, which are never opened), EBUSY (a mount point), EPIPE (the sandbox has ended).
///
/// No call waits for a process inside, or follows what it renames meanwhile. Copies refer to the
/// same sandbox; all may be used from several threads at once.
class Files {
 public:
  explicit Files(std::shared_ptr<const FilesContext> context) noexcept
      : context_(std::move(context)) {}

  /// The content, as long as the file was when it was opened. ESTALE when it shrank meanwhile.
  std::string read(const std::string& path, const ReadOptions& options = {}) const;
  /// Calls back with pieces of up to 1 MiB, to the end. Returns how many bytes there were.
  uint64_t read_chunks(const std::string& path, const ChunkCallback& callback,
                       const ReadOptions& options = {}) const;
  /// Writes the content to `fd`, a file, pipe or socket of the host. Returns how many bytes.
  uint64_t read_to(const std::string& path, int fd, const ReadOptions& options = {}) const;

  /// Creates or overwrites a file: mode 0644 when it is new, else its mode stays; it belongs to the
  /// user in the end (EPERM before anything is changed when that cannot be).
  WriteInfo write(const std::string& path, std::string_view data,
                  const WriteOptions& options = {}) const;
  WriteInfo write_chunks(const std::string& path, const ChunkSource& source,
                         const WriteOptions& options = {}) const;
  /// From the position of `fd`, a file, pipe or socket of the host, to its end.
  WriteInfo write_from(const std::string& path, int fd, const WriteOptions& options = {}) const;
  struct FileData {
    std::string path;
    std::string_view data;
  };
  /// One after the other, in order; stops at the first that fails.
  std::vector<WriteInfo> write_many(const std::vector<FileData>& files,
                                    const WriteOptions& options = {}) const;
  /// Adds to the end, and creates the file when it is missing. Metadata stay.
  WriteInfo append(const std::string& path, std::string_view data,
                   const std::string& user = {}) const;

  /// Entries in lexical order of bytes, a directory before what is in it. Symlinks in it are not
  /// followed, but `path` itself may be one. Entries that vanish meanwhile are left out.
  std::vector<EntryInfo> list(const std::string& path, const ListOptions& options = {}) const;
  /// With metadata. Nothing when there is no such entry.
  std::optional<EntryInfo> stat(const std::string& path, const std::string& user = {}) const;
  /// False for a symlink that leads nowhere, too.
  bool exists(const std::string& path, const std::string& user = {}) const;

  /// Like `mkdir -p`, 0755. False when it is a directory already; ENOTDIR when it is a file.
  bool make_dir(const std::string& path, const std::string& user = {}) const;

 private:
  std::shared_ptr<const FilesContext> context_;
};

}  // namespace sandbox
