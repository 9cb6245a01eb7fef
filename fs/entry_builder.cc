#include "fs/entry_builder.h"

#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

using std::chrono::system_clock;

EntryType type_of(uint32_t mode) {
  if (S_ISREG(mode)) return EntryType::File;
  if (S_ISDIR(mode)) return EntryType::Directory;
  return S_ISLNK(mode) ? EntryType::Symlink : EntryType::Other;
}

system_clock::time_point time_of(const statx_timestamp& stamp) {
  const auto since = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(since));
}

}  // namespace

std::string permissions_of(uint32_t mode) {
  std::string text;
  if (S_ISDIR(mode)) text += 'd';
  if (S_ISLNK(mode)) text += 'L';
  if (S_ISBLK(mode) || S_ISCHR(mode)) text += 'D';
  if (S_ISFIFO(mode)) text += 'p';
  if (S_ISSOCK(mode)) text += 'S';
  if ((mode & S_ISUID) != 0) text += 'u';
  if ((mode & S_ISGID) != 0) text += 'g';
  if (S_ISCHR(mode)) text += 'c';
  if ((mode & S_ISVTX) != 0) text += 't';
  if (text.empty()) text += '-';
  constexpr char kBits[] = "rwxrwxrwx";
  for (unsigned bit = 0; bit < 9; ++bit) text += (mode & (0400U >> bit)) != 0 ? kBits[bit] : '-';
  return text;
}

EntryInfo make_entry(std::string path, std::string name, const struct statx& status,
                     const IdNames& names) {
  EntryInfo entry;
  entry.name = std::move(name);
  entry.path = std::move(path);
  entry.type = type_of(status.stx_mode);
  entry.size = status.stx_size;
  entry.mode = status.stx_mode & 0777U;
  entry.permissions = permissions_of(status.stx_mode);
  entry.owner = names.user(status.stx_uid);
  entry.group = names.group(status.stx_gid);
  entry.modified_time = time_of(status.stx_mtime);
  return entry;
}

void follow_link(EntryInfo& entry, const RootDir& root) {
  entry.symlink_target = entry.path;
  try {
    const std::optional<Resolved> target = root.find(entry.path, Symlinks::Follow);
    if (!target) return;
    entry.type = type_of(target->status.stx_mode);
    entry.mode = target->status.stx_mode & 0777U;
    entry.symlink_target = root.path_of(target->fd.get());
  } catch (const Error&) {
    return;  // A loop, a locked directory, another mount: for the user it leads nowhere.
  }
}

}  // namespace sandbox
