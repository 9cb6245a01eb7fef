#include "tests/templates/tar_builder.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace sandbox::test {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { ::archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { ::archive_entry_free(e); }
};

void require(archive* a, la_ssize_t result) {
  if (result < ARCHIVE_WARN) throw std::runtime_error(::archive_error_string(a));
}

la_ssize_t append(archive*, void* to, const void* data, size_t size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

TarBuilder& TarBuilder::add(Entry entry) {
  entries_.emplace(static_cast<int>(entries_.size()), std::move(entry));
  return *this;
}

TarBuilder& TarBuilder::file(const std::string& path, const std::string& content) {
  return file(path, content, {});
}

TarBuilder& TarBuilder::file(const std::string& path, const std::string& content,
                             const Status& status) {
  return add({.type = S_IFREG, .path = path, .content = content, .status = status});
}

TarBuilder& TarBuilder::directory(const std::string& path) {
  return directory(path, {.mode = 0755});
}

TarBuilder& TarBuilder::directory(const std::string& path, const Status& status) {
  return add({.type = S_IFDIR, .path = path, .content = {}, .status = status});
}

TarBuilder& TarBuilder::symlink(const std::string& path, const std::string& target) {
  return add({.type = S_IFLNK, .path = path, .content = target, .status = {.mode = 0777}});
}

TarBuilder& TarBuilder::hardlink(const std::string& path, const std::string& existing) {
  return add({.type = S_IFREG, .path = path, .content = existing, .is_hardlink = true});
}

TarBuilder& TarBuilder::device(const std::string& path, dev_t device) {
  return add({.type = S_IFCHR, .path = path, .content = {}, .device = device});
}

TarBuilder& TarBuilder::fifo(const std::string& path) {
  return add({.type = S_IFIFO, .path = path, .content = {}});
}

TarBuilder& TarBuilder::sparse(const std::string& path, int64_t size) {
  return add({.type = S_IFREG, .path = path, .content = "x", .sparse_size = size});
}

std::string TarBuilder::build(const std::string& filter) const {
  std::string bytes;
  const std::unique_ptr<archive, FreeArchive> owner(::archive_write_new());
  archive* const a = owner.get();
  require(a, ::archive_write_set_format_pax(a));
  if (filter != "none") require(a, ::archive_write_add_filter_by_name(a, filter.c_str()));
  // Without it, what is compressed is filled up with zeros, which zstd takes for damage.
  require(a, ::archive_write_set_bytes_in_last_block(a, 1));
  require(a, ::archive_write_open(a, &bytes, nullptr, append, nullptr));
  for (const auto& [number, entry] : entries_) {
    const std::unique_ptr<archive_entry, FreeEntry> made(::archive_entry_new());
    archive_entry* const e = made.get();
    ::archive_entry_set_pathname(e, entry.path.c_str());
    ::archive_entry_set_filetype(e, entry.type);
    ::archive_entry_set_perm(e, entry.status.mode);
    ::archive_entry_set_uid(e, entry.status.uid);
    ::archive_entry_set_gid(e, entry.status.gid);
    ::archive_entry_set_mtime(e, entry.status.modified, 0);
    ::archive_entry_set_rdev(e, entry.device);
    for (const auto& [name, value] : entry.status.xattrs) {
      ::archive_entry_xattr_add_entry(e, name.c_str(), value.data(), value.size());
    }
    const bool has_content = entry.type == S_IFREG && !entry.is_hardlink;
    if (entry.is_hardlink) ::archive_entry_set_hardlink(e, entry.content.c_str());
    if (entry.type == S_IFLNK) ::archive_entry_set_symlink(e, entry.content.c_str());
    if (entry.sparse_size > 0) {
      ::archive_entry_set_size(e, entry.sparse_size);
      ::archive_entry_sparse_add_entry(e, entry.sparse_size - 1, 1);
    } else {
      ::archive_entry_set_size(e, has_content ? static_cast<la_int64_t>(entry.content.size()) : 0);
    }
    require(a, ::archive_write_header(a, e));
    if (!has_content) continue;
    if (entry.sparse_size > 0) {
      // libarchive skips over what the map calls a hole; it asks for all bytes nevertheless.
      const std::string zeros(1 << 20, '\0');
      for (int64_t left = entry.sparse_size; left > 0;) {
        const auto size = static_cast<size_t>(std::min<int64_t>(left, 1 << 20));
        require(a, ::archive_write_data(a, zeros.data(), size));
        left -= static_cast<int64_t>(size);
      }
    } else {
      require(a, ::archive_write_data(a, entry.content.data(), entry.content.size()));
    }
  }
  require(a, ::archive_write_close(a));
  return bytes;
}

}  // namespace sandbox::test
