#include "templates/tar_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "fs/tar_archive.h"
#include "sandbox/error.h"
#include "templates/sha256.h"

namespace sandbox {
namespace {

constexpr std::string_view kReserved = ".wh..wh.";  // Of aufs, and without a meaning to others.

std::string text_or(const char* text, const char* utf8) {
  if (text != nullptr) return text;
  return utf8 != nullptr ? utf8 : "";
}

// Names are bytes, except that libarchive knows those of a pax header as UTF-8, which it does not
// turn into the C locale.
std::string name_of(archive_entry* entry) {
  return text_or(::archive_entry_pathname(entry), ::archive_entry_pathname_utf8(entry));
}

std::string symlink_of(archive_entry* entry) {
  return text_or(::archive_entry_symlink(entry), ::archive_entry_symlink_utf8(entry));
}

std::string hardlink_of(archive_entry* entry) {
  return text_or(::archive_entry_hardlink(entry), ::archive_entry_hardlink_utf8(entry));
}

Xattrs xattrs_of(archive_entry* entry) {
  Xattrs xattrs;
  ::archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (is_kept_xattr(name)) xattrs[name] = std::string(static_cast<const char*>(value), size);
  }
  return xattrs;
}

uint32_t to_id(la_int64_t id) {
  return id < 0 || id >= la_int64_t{UINT32_MAX} ? 0 : static_cast<uint32_t>(id);
}

EntryStatus status_of(archive_entry* entry) {
  return {.mode = ::archive_entry_perm(entry) & 07777U,
          .uid = to_id(::archive_entry_uid(entry)),
          .gid = to_id(::archive_entry_gid(entry)),
          .modified = {.tv_sec = ::archive_entry_mtime(entry),
                       .tv_nsec = ::archive_entry_mtime_nsec(entry)},
          .xattrs = xattrs_of(entry)};
}

class LayerReader {
 public:
  LayerReader(int fd, const std::string& subject, Whiteouts whiteouts, TreeWriter& tree,
              ImportBudget& budget)
      : archive_(::archive_read_new()),
        subject_(subject),
        whiteouts_(whiteouts),
        tree_(tree),
        budget_(budget) {
    archive* a = archive_.get();
    support_filters(a, subject);
    require_ok(a, ::archive_read_support_format_tar(a), subject);
    require_ok(a, ::archive_read_support_format_empty(a), subject);
    require_ok(a, ::archive_read_open_fd(a, fd, kTarBlock), subject);
  }

  void unpack() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = ::archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) return;
      require_ok(archive_.get(), result, subject_);
      visit(entry);
    }
  }

 private:
  void visit(archive_entry* entry) {
    const std::string path = name_of(entry);
    if (path.empty()) throw Error(EINVAL, "tar", subject_, "an entry has no name");
    if (whiteouts_ == Whiteouts::Oci && hide(path)) return;
    if (const std::string link = hardlink_of(entry); !link.empty()) {
      return tree_.make_hardlink(path, link);
    }
    switch (::archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return tree_.make_directory(path, status_of(entry));
      case AE_IFREG:
        return unpack_file(entry, path);
      case AE_IFLNK:
        return tree_.make_symlink(path, symlink_of(entry), status_of(entry));
      default:
        // Devices, FIFOs: left out. They count, and so does what they claim to contain.
        budget_.take_entry(path);
        write_content(-1, path);
    }
  }

  bool hide(const std::string& path) {
    const std::string plain = normalised_path(path);
    const std::size_t slash = plain.rfind('/');
    const std::string directory = slash == std::string::npos ? "" : plain.substr(0, slash + 1);
    const std::string name = plain.substr(directory.size());
    if (!name.starts_with(kWhiteoutPrefix)) return false;
    if (name == kOpaqueMark) {
      tree_.hide_content(directory);
    } else if (!name.starts_with(kReserved)) {
      const std::string hidden = name.substr(kWhiteoutPrefix.size());
      // ".wh...": what it would hide is no name, and ".." leads out of the directory.
      if (hidden.empty() || hidden == "." || hidden == "..") {
        throw Error(EINVAL, "tar", path, "a whiteout of no name");
      }
      tree_.hide(directory + hidden);
    }
    return true;
  }

  void unpack_file(archive_entry* entry, const std::string& path) {
    const UniqueFd file = tree_.make_file(path);
    uint64_t written = write_content(file.get(), path);
    if (::archive_entry_size_is_set(entry) != 0) {
      const auto size = static_cast<uint64_t>(::archive_entry_size(entry));
      if (size > written) budget_.take_bytes(size - written, path);  // A hole at its end.
      check(::ftruncate(file.get(), static_cast<off_t>(size)), "ftruncate", path);
      written = size;
    }
    tree_.finish_file(file.get(), path, status_of(entry));
    // Written to the disk from now on, while we unpack: the sync at the end is shorter by that.
    constexpr uint64_t kLarge = 1 << 20;
    if (written >= kLarge) ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  // Returns the offset after the last byte; `file` is -1 for content that nobody wants. Bytes count
  // before they are written, and holes count: a small archive may hold very much.
  uint64_t write_content(int file, const std::string& path) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    uint64_t end = 0;
    for (;;) {
      const int result = ::archive_read_data_block(archive_.get(), &block, &size, &offset);
      if (result == ARCHIVE_EOF) return end;
      require_ok(archive_.get(), result, path);
      const uint64_t reached = static_cast<uint64_t>(offset) + size;
      if (reached > end) {
        budget_.take_bytes(reached - end, path);
        end = reached;
      }
      if (file >= 0) write_block(file, block, size, offset, path);
    }
  }

  static void write_block(int file, const void* block, std::size_t size, la_int64_t offset,
                          const std::string& path) {
    for (std::size_t done = 0; done < size;) {
      const char* const from = static_cast<const char*>(block) + done;
      const off_t to = offset + static_cast<off_t>(done);
      done +=
          static_cast<std::size_t>(check(::pwrite(file, from, size - done, to), "pwrite", path));
    }
  }

  std::unique_ptr<archive, FreeReader> archive_;
  const std::string& subject_;
  Whiteouts whiteouts_;
  TreeWriter& tree_;
  ImportBudget& budget_;
};

}  // namespace

void unpack_layer(int fd, const std::string& subject, Whiteouts whiteouts, TreeWriter& tree,
                  ImportBudget& budget) {
  LayerReader(fd, subject, whiteouts, tree, budget).unpack();
}

std::string uncompressed_digest(int fd, const std::string& subject, ImportBudget& budget) {
  const std::unique_ptr<archive, FreeReader> reader(::archive_read_new());
  archive* const a = reader.get();
  support_filters(a, subject);
  require_ok(a, ::archive_read_support_format_raw(a), subject);
  require_ok(a, ::archive_read_support_format_empty(a), subject);
  require_ok(a, ::archive_read_open_fd(a, fd, kTarBlock), subject);
  Sha256 hash;
  archive_entry* entry = nullptr;
  const int begin = ::archive_read_next_header(a, &entry);
  if (begin == ARCHIVE_EOF) return hash.finish();
  require_ok(a, begin, subject);
  for (;;) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = ::archive_read_data_block(a, &block, &size, &offset);
    if (result == ARCHIVE_EOF) return hash.finish();
    require_ok(a, result, subject);
    budget.take_bytes(size, subject);
    hash.add({static_cast<const std::byte*>(block), size});
  }
}

}  // namespace sandbox
