#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "fs/copy_content.h"
#include "fs/sandbox_path.h"
#include "fs/tar.h"
#include "fs/tar_archive.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Names are bytes, except that libarchive knows those of a pax header as UTF-8, which it does not
// turn into the C locale.
const char* name_of(archive_entry* entry) {
  const char* name = ::archive_entry_pathname(entry);
  return name != nullptr ? name : ::archive_entry_pathname_utf8(entry);
}

const char* symlink_of(archive_entry* entry) {
  const char* text = ::archive_entry_symlink(entry);
  return text != nullptr ? text : ::archive_entry_symlink_utf8(entry);
}

const char* hardlink_of(archive_entry* entry) {
  const char* name = ::archive_entry_hardlink(entry);
  return name != nullptr ? name : ::archive_entry_hardlink_utf8(entry);
}

// Absolute in the directory that is unpacked to: names of an archive are relative, whatever they
// say.
std::string entry_path(const char* name) {
  if (name == nullptr) throw Error(EINVAL, "tar", "", "an entry has no name");
  FileOwner archive_root;
  archive_root.home = "/";
  const std::string text(name);
  return absolute_path(text.starts_with('~') ? "./" + text : text, archive_root);
}

class TarReader {
 public:
  TarReader(int fd, const FileOps& target, const TransferOptions& options)
      : archive_(::archive_read_new()), target_(target), options_(options) {
    archive* a = archive_.get();
    support_filters(a, "");
    require_ok(a, ::archive_read_support_format_tar(a), "");
    require_ok(a, ::archive_read_open_fd(a, fd, kTarBlock), "");
  }

  TransferResult unpack() && {
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = ::archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      require_ok(archive_.get(), result, "");
      visit(entry);
    }
    // Last, and inner ones first: making an entry changes the time of its directory, and a mode
    // may forbid it.
    while (!directories_.empty()) {
      const Directory& directory = directories_.back();
      target_.set_status(directory.path, directory.mode, directory.modified);
      directories_.pop_back();
    }
    return std::move(result_);
  }

 private:
  struct Directory {
    std::string path;
    mode_t mode = 0;
    timespec modified = {};
  };

  void visit(archive_entry* entry) {
    const std::string path = entry_path(name_of(entry));
    if (++entries_ > options_.max_entries) {
      throw Error(E2BIG, "tar", path, "there are more entries than max_entries");
    }
    const mode_t type = ::archive_entry_filetype(entry);
    if (const char* link = hardlink_of(entry)) return unpack_link(path, link);
    if (type == AE_IFDIR) return unpack_directory(entry, path);
    if (type == AE_IFREG) return unpack_file(entry, path);
    if (type == AE_IFLNK) return unpack_symlink(entry, path);
    result_.skipped.push_back(path.substr(1));
  }

  void unpack_directory(archive_entry* entry, const std::string& path) {
    target_.make_dir(path);
    ++result_.directories;
    if (path == "/") return;
    const auto mode = static_cast<mode_t>(::archive_entry_perm(entry) & 0777);
    directories_.push_back({path, mode, modified(entry)});
  }

  void unpack_symlink(archive_entry* entry, const std::string& path) {
    const char* text = symlink_of(entry);
    if (text == nullptr) throw Error(EINVAL, "tar", path, "a symlink has no target");
    target_.remove_file(path);
    target_.symlink(text, path);
    ++result_.symlinks;
  }

  void unpack_file(archive_entry* entry, const std::string& path) {
    PendingFile file = target_.open_for_write(path, WriteMode::Atomic, {});
    write_content(file.fd(), path);
    if (::archive_entry_size_is_set(entry) != 0) {
      check(::ftruncate(file.fd(), ::archive_entry_size(entry)), "ftruncate", path);
    }
    target_.set_status(file.fd(), path, static_cast<mode_t>(::archive_entry_perm(entry) & 0777),
                       modified(entry));
    file.commit();
    ++result_.files;
    count_bytes(path, 0);
  }

  // The other name has been unpacked before: tar(5).
  void unpack_link(const std::string& path, const char* link) {
    const OpenedFile source = target_.open_for_read(entry_path(link));
    PendingFile file = target_.open_for_write(path, WriteMode::Atomic, {});
    copy_content(source.fd.get(), file.fd(), static_cast<uint64_t>(source.status.st_size), path,
                 [&](uint64_t bytes) { count_bytes(path, bytes); });
    target_.set_status(file.fd(), path, source.status.st_mode & 0777, source.status.st_mtim);
    file.commit();
    ++result_.files;
  }

  void write_content(int fd, const std::string& path) {
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int result = ::archive_read_data_block(archive_.get(), &block, &size, &offset);
      if (result == ARCHIVE_EOF) return;
      require_ok(archive_.get(), result, path);
      count_bytes(path, size);  // Before the write: a small archive may hold very much.
      for (size_t done = 0; done < size;) {
        const char* from = static_cast<const char*>(block) + done;
        const ssize_t count =
            ::pwrite(fd, from, size - done, static_cast<off_t>(offset) + static_cast<off_t>(done));
        done += static_cast<size_t>(check(count, "pwrite", path));
      }
    }
  }

  static timespec modified(archive_entry* entry) {
    return {.tv_sec = ::archive_entry_mtime(entry), .tv_nsec = ::archive_entry_mtime_nsec(entry)};
  }

  void count_bytes(const std::string& path, uint64_t bytes) {
    result_.bytes += bytes;
    if (result_.bytes > options_.max_bytes) {
      throw Error(EFBIG, "tar", path, "there is more data than max_bytes");
    }
    if (options_.progress) options_.progress({path, result_.files, result_.bytes});
  }

  std::unique_ptr<archive, FreeReader> archive_;
  const FileOps& target_;
  const TransferOptions& options_;
  TransferResult result_;
  uint64_t entries_ = 0;
  std::vector<Directory> directories_;
};

}  // namespace

TransferResult read_tar(int fd, const FileOps& target, const TransferOptions& options) {
  return TarReader(fd, target, options).unpack();
}

}  // namespace sandbox
