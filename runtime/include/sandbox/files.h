#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/entry_info.h"
#include "sandbox/watcher.h"

namespace sandbox {

class FilesContext;

struct ReadOptions {
  std::string user = {};               ///< Whose home relative paths start in.
  int64_t offset = 0;                  ///< Bytes to skip. Beyond the end: nothing is read.
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

/// What a file or tree takes.
struct DiskUsage {
  uint64_t disk_bytes = 0;      ///< Blocks in use; less than the sizes for sparse files.
  uint64_t apparent_bytes = 0;  ///< Sum of the sizes of files.
  uint64_t files = 0;           ///< Hard links to one file count once.
  uint64_t directories = 0;     ///< Including the top.
};

/// How far an upload or download has come.
struct TransferProgress {
  std::string_view path;  ///< Of the file being copied, relative to the top.
  uint64_t files = 0;     ///< Files that are complete.
  uint64_t bytes = 0;     ///< Data copied; holes of sparse files take no time and do not count.
};

struct TransferOptions {
  std::string user = {};
  /// Called at least every 16 MiB and after each file. May throw to stop.
  std::function<void(const TransferProgress&)> progress = {};
  uint64_t max_bytes = UINT64_MAX;    ///< EFBIG beyond: what is inside decides how much there is.
  uint64_t max_entries = UINT64_MAX;  ///< E2BIG beyond.
};

/// What a transfer did.
struct TransferResult {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t symlinks = 0;
  uint64_t bytes = 0;  ///< Data copied, without holes.
  /// Relative paths of what cannot be copied: FIFOs, sockets, devices, other mounts.
  std::vector<std::string> skipped = {};
};

/// Receives a file piece by piece. `chunk` is valid during the call.
using ChunkCallback = std::function<void(std::string_view chunk)>;
/// Gives the next piece of a file, and an empty one at its end.
using ChunkSource = std::function<std::string_view()>;

/// The files of one sandbox, from the host, straight through the kernel.
///
/// Paths: absolute; `~` and `~/x` and relative paths start in the user's home. Symlinks lead where
/// they lead for a process inside, never out. Bytes, any but NUL; below 4096 of them. `user` is a
/// name or uid known in the sandbox and defaults to its default user, who owns what is created,
/// missing parents included.
///
/// No mode and no owner inside keeps these calls out. What the user himself may not do (a file of
/// another user, a directory with mode 0) is done with the rights that root of the sandbox has, by
/// a process in its user namespace, with the same results and a round trip more for each step. That
/// process is started by the first call that needs it.
///
/// All calls throw Error, whose errno tells: ENOENT, EISDIR, ENOTDIR, EEXIST, ENOTEMPTY, EACCES and
/// EPERM (files of the host that were mounted and whose owner has no id inside), ENOSPC, ELOOP (too
/// many symlinks), EXDEV (/dev and other mounts that are no part of the file system; /proc, of
/// which regular files can be read and nothing else), EINVAL (empty path, NUL, unknown user,
/// negative range; FIFO, socket or device, which are never opened), EBUSY (a mount point),
/// ECONNRESET (the process for what the user may not do was killed meanwhile), EPIPE (the sandbox
/// has ended).
///
/// No call waits for a process inside, or follows what it renames meanwhile. Copies refer to the
/// same sandbox; all may be used from several threads at once.
class Files {
 public:
  explicit Files(std::shared_ptr<const FilesContext> context) noexcept
      : context_(std::move(context)) {}

  /// The content, as long as the file was when it was opened. ESTALE when it shrank meanwhile. Of a
  /// file of /proc the content, up to 64 MiB (EFBIG), as a process inside would read it; there is
  /// no /proc/self, as the reader is no process of the sandbox.
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

  /// Removes like `rm -rf`: a symlink itself and not its target; a path that is not there is
  /// success. Depth and permissions of directories do not stop it, mount points do (EBUSY).
  void remove(const std::string& path, const std::string& user = {}) const;
  /// Moves, replacing an existing file; makes missing parents of `to`. Directories of a template
  /// layer, and across mounts, are copied and removed, which is not atomic.
  EntryInfo rename(const std::string& from, const std::string& to,
                   const std::string& user = {}) const;
  /// Copies a file, replacing an existing one whole, or the content of a directory into a
  /// directory, with modes, times, symlinks and holes, like `cp -a`. Makes missing parents.
  TransferResult copy(const std::string& from, const std::string& to,
                      const TransferOptions& options = {}) const;
  /// Makes a symlink with this text. EEXIST when the name is taken.
  void symlink(const std::string& target, const std::string& path,
               const std::string& user = {}) const;
  /// `mode` up to 0777; EPERM for the set-id and sticky bits, which are not set from outside.
  void chmod(const std::string& path, uint32_t mode, const std::string& user = {}) const;
  /// Gives it to `new_owner`, a user of the sandbox.
  void chown(const std::string& path, const std::string& new_owner,
             const std::string& user = {}) const;
  /// Sets the times to now; creates an empty file when there is none.
  void touch(const std::string& path, const std::string& user = {}) const;
  DiskUsage disk_usage(const std::string& path, const std::string& user = {}) const;

  Metadata metadata(const std::string& path, const std::string& user = {}) const;
  /// Replaces the whole set. Keys are HTTP tokens, kept in lower case; values printable ASCII.
  void set_metadata(const std::string& path, const Metadata& metadata,
                    const std::string& user = {}) const;

  /// Copies a file or tree of the host into the sandbox: a file to `path`, replacing it whole; the
  /// content of a directory into the directory `path`. Modes (0777), modification times, symlinks
  /// (as text) and holes are kept. Memory use does not grow with the size of files or trees.
  TransferResult upload(const std::string& host_path, const std::string& path,
                        const TransferOptions& options = {}) const;
  /// The same in the other direction. Nothing is written through a symlink below `host_path`.
  TransferResult download(const std::string& path, const std::string& host_path,
                          const TransferOptions& options = {}) const;
  /// Unpacks a tar stream, plain or by gzip, bzip2, xz or zstd, into the directory `path`, which is
  /// made. No entry leaves it, whatever names and symlinks the archive has.
  TransferResult upload_tar(int fd, const std::string& path,
                            const TransferOptions& options = {}) const;
  /// Writes a file or the content of a directory to `fd` as a pax archive.
  TransferResult download_tar(const std::string& path, int fd,
                              const TransferOptions& options = {}) const;

  /// Watches a directory; changes after the return are reported. ENOENT, ENOTDIR for a file, ENOSPC
  /// and EMFILE at the limits of the host, with the name of the sysctl in the hint.
  Watcher watch(const std::string& path, const WatchOptions& options = {}) const;

 private:
  std::shared_ptr<const FilesContext> context_;
};

}  // namespace sandbox
