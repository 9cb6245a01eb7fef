#include "templates/layer_export.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "runtime/base/syscalls.h"
#include "sandbox/error.h"
#include "templates/layer_entry.h"
#include "templates/layer_listing.h"
#include "templates/sha256.h"
#include "templates/tar_layer.h"
#include "templates/tar_stream.h"

namespace sandbox {
namespace {

using Type = LayerEntry::Type;

[[noreturn]] void refuse_damage(const std::string& path) {
  throw Error(EBADMSG, "export", path, "the layer was changed; `template verify` tells more");
}

void require_plain_name(const LayerEntry& entry) {
  const std::string path = '/' + entry.path;
  if (path.find("/.wh.") == std::string::npos) return;
  throw Error(EINVAL, "export", entry.path,
              "in a layer of an image, a name that begins with .wh. hides another file");
}

void require_plain_xattrs(const LayerEntry& entry) {
  for (const auto& [name, value] : entry.status.xattrs) {
    if (name.find('=') == std::string::npos) continue;
    throw Error(EINVAL, "export", entry.path, "an archive cannot hold the xattr " + name);
  }
}

unsigned file_type(Type type) {
  if (type == Type::Directory || type == Type::Opaque) return AE_IFDIR;
  return type == Type::Symlink ? AE_IFLNK : AE_IFREG;
}

class LayerExport {
 public:
  LayerExport(UniqueFd tree, const ByteSink& sink)
      : tree_(std::move(tree)),
        tar_(sink, TarStream::Names::Bytes),
        block_(std::make_unique<std::byte[]>(kTarBlock)) {}

  void add(const LayerEntry& entry) {
    require_plain_name(entry);
    if (entry.type == Type::Whiteout) return add_mark(hidden_by_mark(entry.path));
    require_plain_xattrs(entry);
    describe(entry);
    tar_.begin(entry.path == "." ? "./" : entry.path);
    if (entry.type == Type::File) add_content(entry);
    if (entry.type == Type::Opaque) {
      add_mark((entry.path == "." ? "" : entry.path + '/').append(kOpaqueMark));
    }
  }

  void finish() { tar_.finish(); }

 private:
  static std::string hidden_by_mark(const std::string& path) {
    const std::size_t name = path.rfind('/') + 1;  // 0 when there is none.
    return path.substr(0, name).append(kWhiteoutPrefix).append(path.substr(name));
  }

  void add_mark(const std::string& path) {
    archive_entry* const e = tar_.next_entry();
    ::archive_entry_set_mode(e, S_IFREG | 0600);
    ::archive_entry_set_size(e, 0);
    tar_.begin(path);
  }

  void describe(const LayerEntry& entry) {
    archive_entry* const e = tar_.next_entry();
    const EntryStatus& status = entry.status;
    ::archive_entry_set_filetype(e, file_type(entry.type));
    ::archive_entry_set_perm(e, status.mode);
    ::archive_entry_set_uid(e, status.uid);
    ::archive_entry_set_gid(e, status.gid);
    ::archive_entry_set_mtime(e, status.modified.tv_sec, status.modified.tv_nsec);
    ::archive_entry_set_size(e, static_cast<la_int64_t>(entry.size));
    if (entry.type == Type::Symlink) ::archive_entry_set_symlink(e, entry.content.c_str());
    if (entry.type == Type::Hardlink) ::archive_entry_set_hardlink(e, entry.content.c_str());
    for (const auto& [name, value] : status.xattrs) {
      ::archive_entry_xattr_add_entry(e, name.c_str(), value.data(), value.size());
    }
  }

  void add_content(const LayerEntry& entry) {
    constexpr uint64_t kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const UniqueFd file(openat2(tree_.get(), entry.path.c_str(), kFlags, kInside));
    check(file.get(), "openat2", entry.path);
    Sha256 hash;
    for (uint64_t left = entry.size; left > 0;) {
      const auto wanted = static_cast<std::size_t>(std::min<uint64_t>(left, kTarBlock));
      const ssize_t count = check(::read(file.get(), block_.get(), wanted), "read", entry.path);
      if (count == 0) refuse_damage(entry.path);
      const std::span<const std::byte> piece(block_.get(), static_cast<std::size_t>(count));
      hash.add(piece);
      tar_.write(piece);
      left -= piece.size();
    }
    if (hash.finish() != entry.content) refuse_damage(entry.path);
  }

  UniqueFd tree_;
  TarStream tar_;
  std::unique_ptr<std::byte[]> block_;
};

}  // namespace

void export_layer(const TemplateStore& store, const std::string& digest, const ByteSink& sink) {
  const std::optional<std::string> listing = read_listing(store, digest);
  if (!listing) refuse_damage(store.listing_of(digest));
  LayerExport layer(store.open_tree(digest), sink);
  for (std::string_view rest = *listing; !rest.empty();) layer.add(parse_entry(take_entry(rest)));
  layer.finish();
}

}  // namespace sandbox
