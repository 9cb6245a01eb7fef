#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <utility>
#include <vector>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "fs/fs_identity.h"
#include "fs/tar.h"
#include "fs/tar_archive.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
// libarchive wants holes as zeros, which it throws away: 0.1 us for each MiB, so not for ever.
constexpr off_t kMaxSize = off_t{16} << 40;

using Extent = std::pair<off_t, off_t>;

std::vector<Extent> data_extents(const OpenedFile& file, const std::string& path) {
  constexpr size_t kMaxExtents = 100'000;
  const off_t size = file.status.st_size;
  std::vector<Extent> extents;
  for (off_t at = 0; at < size;) {
    const off_t data = ::lseek(file.fd.get(), at, SEEK_DATA);
    if (data < 0 || data >= size) break;  // ENXIO: only a hole is left.
    at = std::min(check(::lseek(file.fd.get(), data, SEEK_HOLE), "lseek", path), size);
    extents.emplace_back(data, at);
    if (extents.size() > kMaxExtents) throw Error(E2BIG, "tar", path, "it has too many holes");
  }
  return extents;
}

class TarWriter {
 public:
  TarWriter(int fd, const TransferOptions& options)
      : archive_(::archive_write_new()),
        entry_(::archive_entry_new()),
        options_(options),
        buffer_(std::make_unique<char[]>(kBufferBytes)),
        zeros_(std::make_unique<char[]>(kBufferBytes)) {
    archive* a = archive_.get();
    require_ok(a, ::archive_write_set_format_pax(a), "");
    // Names are bytes: else those that are not UTF-8 would be refused or changed.
    require_ok(a, ::archive_write_set_format_option(a, "pax", "hdrcharset", "BINARY"), "");
    require_ok(a, ::archive_write_open_fd(a, fd), "");
  }

  void add_directory(const std::string& path, const struct stat& status) {
    describe(path, status);
    write_header(path);
    ++result_.directories;
  }

  void add_symlink(const std::string& path, const struct stat& status, const char* text) {
    describe(path, status);
    ::archive_entry_set_symlink(entry_.get(), text);
    write_header(path);
    ++result_.symlinks;
  }

  void add_file(const std::string& path, const OpenedFile& file) {
    const off_t size = file.status.st_size;
    if (size > kMaxSize) throw Error(EFBIG, "tar", path, "it is larger than 16 TiB");
    const std::vector<Extent> extents = data_extents(file, path);
    describe(path, file.status);
    describe_holes(extents, size);
    write_header(path);
    off_t at = 0;
    for (const auto& [begin, end] : extents) {
      write_zeros(path, begin - at);
      write_extent(path, file.fd.get(), begin, end);
      at = end;
    }
    write_zeros(path, size - at);
    ++result_.files;
    count_bytes(path, 0);
  }

  void skip(const std::string& path) { result_.skipped.push_back(path); }

  TransferResult finish() && {
    require_ok(archive_.get(), ::archive_write_close(archive_.get()), "");
    return std::move(result_);
  }

 private:
  void describe(const std::string& path, const struct stat& status) {
    if (++entries_ > options_.max_entries) {
      throw Error(E2BIG, "tar", path, "there are more entries than max_entries");
    }
    archive_entry* e = entry_.get();
    ::archive_entry_clear(e);
    ::archive_entry_set_pathname(e, path.c_str());
    ::archive_entry_set_mode(e, (status.st_mode & S_IFMT) | (status.st_mode & 0777));
    ::archive_entry_set_mtime(e, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    ::archive_entry_set_size(e, S_ISREG(status.st_mode) ? status.st_size : 0);
  }

  // An entry (0, 0) stands for a file that is nothing but a hole.
  void describe_holes(const std::vector<Extent>& extents, off_t size) {
    if (size > 0 && extents.empty()) ::archive_entry_sparse_add_entry(entry_.get(), 0, 0);
    if (extents.size() == 1 && extents.front() == Extent(0, size)) return;
    for (const auto& [begin, end] : extents) {
      ::archive_entry_sparse_add_entry(entry_.get(), begin, end - begin);
    }
  }

  void write_header(const std::string& path) {
    require_ok(archive_.get(), ::archive_write_header(archive_.get(), entry_.get()), path);
  }

  void write_zeros(const std::string& path, off_t bytes) {
    while (bytes > 0) {
      const auto size = std::min(static_cast<size_t>(bytes), kBufferBytes);
      require_ok(archive_.get(), ::archive_write_data(archive_.get(), zeros_.get(), size), path);
      bytes -= static_cast<off_t>(size);
    }
  }

  void write_extent(const std::string& path, int fd, off_t begin, off_t end) {
    while (begin < end) {
      const auto wanted = std::min(static_cast<size_t>(end - begin), kBufferBytes);
      const ssize_t count = ::pread(fd, buffer_.get(), wanted, begin);
      if (check(count, "pread", path) == 0) {
        throw Error(ESTALE, "read", path, "the file shrank while it was read");
      }
      const auto size = static_cast<size_t>(count);
      require_ok(archive_.get(), ::archive_write_data(archive_.get(), buffer_.get(), size), path);
      begin += count;
      count_bytes(path, size);
    }
  }

  void count_bytes(const std::string& path, uint64_t bytes) {
    result_.bytes += bytes;
    if (result_.bytes > options_.max_bytes) {
      throw Error(EFBIG, "tar", path, "there is more data than max_bytes");
    }
    if (options_.progress) options_.progress({path, result_.files, result_.bytes});
  }

  std::unique_ptr<archive, FreeWriter> archive_;
  std::unique_ptr<archive_entry, FreeEntry> entry_;
  const TransferOptions& options_;
  std::unique_ptr<char[]> buffer_;
  std::unique_ptr<char[]> zeros_;
  TransferResult result_;
  uint64_t entries_ = 0;
};

// The walk: as in TreeCopy, by descriptors and without following symlinks.
class TreeArchiver {
 public:
  TreeArchiver(TarWriter& writer, const FileOwner& owner, const TransferOptions& options)
      : writer_(writer), owner_(owner), options_(options) {}

  void archive_directory(UniqueFd top) {
    DirStack dirs(std::move(top), DirStack::Mounts::Stay);
    enter(dirs);
    while (!levels_.empty()) {
      path_.resize(levels_.back().path_length);
      if (const char* name = levels_.back().names.next()) {
        if (!path_.empty()) path_ += '/';
        path_ += name;
        visit(dirs, name);
      } else {
        levels_.pop_back();
        const FsIdentity as_owner(owner_);
        if (!levels_.empty()) dirs.pop();
      }
    }
  }

 private:
  struct Level {
    DirNames names;
    size_t path_length = 0;
  };

  void enter(const DirStack& dirs) {
    levels_.push_back(
        {DirNames(dirs.fd(), DirNames::Order::Lexical, options_.max_entries), path_.size()});
  }

  void visit(DirStack& dirs, const char* name) {
    struct stat status = {};
    std::optional<std::string> link;
    {
      const FsIdentity as_owner(owner_);
      if (!acting::status(dirs.fd(), name, status)) return;  // Vanished meanwhile.
      if (S_ISLNK(status.st_mode)) link = acting::read_link(dirs.fd(), name);
    }
    if (S_ISDIR(status.st_mode)) return visit_directory(dirs, name);
    if (S_ISREG(status.st_mode)) return visit_file(dirs, name);
    if (!S_ISLNK(status.st_mode)) return writer_.skip(path_);
    if (link) writer_.add_symlink(path_, status, link->c_str());
  }

  void visit_directory(DirStack& dirs, const char* name) {
    const FsIdentity as_owner(owner_);
    UniqueFd dir = dirs.open(name);
    if (!dir && errno == EXDEV) return writer_.skip(path_);
    check(dir.get(), "openat2", path_);
    struct stat status = {};
    check(::fstat(dir.get(), &status), "fstat", path_);
    writer_.add_directory(path_, status);
    dirs.push(std::move(dir));
    enter(dirs);
  }

  void visit_file(const DirStack& dirs, const char* name) {
    OpenedFile file;
    {
      const FsIdentity as_owner(owner_);
      constexpr uint64_t kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
      constexpr uint64_t kResolve =
          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
      file.fd = acting::open(dirs.fd(), name, kFlags, kResolve);
    }
    if (!file.fd && errno == EXDEV) return writer_.skip(path_);
    if (!file.fd && errno == ENOENT) return;
    check(file.fd.get(), "openat2", path_);
    check(::fstat(file.fd.get(), &file.status), "fstat", path_);
    if (!S_ISREG(file.status.st_mode)) return writer_.skip(path_);  // Swapped meanwhile.
    writer_.add_file(path_, file);
  }

  TarWriter& writer_;
  const FileOwner& owner_;
  const TransferOptions& options_;
  std::vector<Level> levels_;
  std::string path_;
};

}  // namespace

TransferResult write_tar(UniqueFd directory, const FileOwner& owner, int fd,
                         const TransferOptions& options) {
  TarWriter writer(fd, options);
  TreeArchiver(writer, owner, options).archive_directory(std::move(directory));
  return std::move(writer).finish();
}

TransferResult write_tar(const OpenedFile& file, const std::string& name, int fd,
                         const TransferOptions& options) {
  TarWriter writer(fd, options);
  writer.add_file(name, file);
  return std::move(writer).finish();
}

}  // namespace sandbox
