#include "sandbox/files.h"

#include <utility>

#include "fs/file_content.h"
#include "fs/files_call.h"
#include "fs/watch_state.h"

namespace sandbox {
namespace {

WriteInfo info_of(std::string path) {
  WriteInfo info{.name = base_name(path)};
  info.path = std::move(path);
  return info;
}

}  // namespace

std::string Files::read(const std::string& path, const ReadOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string absolute = call.absolute(path);
  const OpenedFile file = call->open_for_read(absolute);
  return read_range({file.fd.get(), file.status, absolute}, options);
}

uint64_t Files::read_chunks(const std::string& path, const ChunkCallback& callback,
                            const ReadOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string absolute = call.absolute(path);
  const OpenedFile file = call->open_for_read(absolute);
  return read_range({file.fd.get(), file.status, absolute}, options, callback);
}

uint64_t Files::read_to(const std::string& path, int fd, const ReadOptions& options) const {
  return read_chunks(
      path, [&](std::string_view chunk) { write_text(fd, chunk, path); }, options);
}

WriteInfo Files::write(const std::string& path, std::string_view data,
                       const WriteOptions& options) const {
  const FilesCall call(*context_, options.user);
  std::string absolute = call.absolute(path);
  PendingFile file = call->open_for_write(absolute, options.mode, options.metadata);
  write_text(file.fd(), data, absolute);
  file.commit();
  return info_of(std::move(absolute));
}

WriteInfo Files::write_chunks(const std::string& path, const ChunkSource& source,
                              const WriteOptions& options) const {
  const FilesCall call(*context_, options.user);
  std::string absolute = call.absolute(path);
  PendingFile file = call->open_for_write(absolute, options.mode, options.metadata);
  for (std::string_view chunk = source(); !chunk.empty(); chunk = source()) {
    write_text(file.fd(), chunk, absolute);
  }
  file.commit();
  return info_of(std::move(absolute));
}

WriteInfo Files::write_from(const std::string& path, int fd, const WriteOptions& options) const {
  const FilesCall call(*context_, options.user);
  std::string absolute = call.absolute(path);
  PendingFile file = call->open_for_write(absolute, options.mode, options.metadata);
  write_stream(file.fd(), fd, absolute);
  file.commit();
  return info_of(std::move(absolute));
}

std::vector<WriteInfo> Files::write_many(const std::vector<FileData>& files,
                                         const WriteOptions& options) const {
  std::vector<WriteInfo> written;
  written.reserve(files.size());
  for (const FileData& file : files) written.push_back(write(file.path, file.data, options));
  return written;
}

WriteInfo Files::append(const std::string& path, std::string_view data,
                        const std::string& user) const {
  const FilesCall call(*context_, user);
  std::string absolute = call.absolute(path);
  const UniqueFd file = call->open_for_append(absolute);
  write_text(file.get(), data, absolute);
  return info_of(std::move(absolute));
}

std::vector<EntryInfo> Files::list(const std::string& path, const ListOptions& options) const {
  const FilesCall call(*context_, options.user);
  return call->list(call.absolute(path), options);
}

std::optional<EntryInfo> Files::stat(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  return call->stat(call.absolute(path));
}

bool Files::exists(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  return call->exists(call.absolute(path));
}

bool Files::make_dir(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  return call->make_dir(call.absolute(path));
}

void Files::remove(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  call->remove(call.absolute(path));
}

void Files::symlink(const std::string& target, const std::string& path,
                    const std::string& user) const {
  const FilesCall call(*context_, user);
  call->symlink(target, call.absolute(path));
}

void Files::chmod(const std::string& path, uint32_t mode, const std::string& user) const {
  const FilesCall call(*context_, user);
  call->chmod(call.absolute(path), mode);
}

void Files::chown(const std::string& path, const std::string& new_owner,
                  const std::string& user) const {
  const FilesCall call(*context_, user);
  call->chown(call.absolute(path), context_->owner(new_owner));
}

void Files::touch(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  call->touch(call.absolute(path));
}

DiskUsage Files::disk_usage(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  return call->disk_usage(call.absolute(path));
}

Metadata Files::metadata(const std::string& path, const std::string& user) const {
  const FilesCall call(*context_, user);
  return call->metadata(call.absolute(path));
}

void Files::set_metadata(const std::string& path, const Metadata& metadata,
                         const std::string& user) const {
  const FilesCall call(*context_, user);
  call->set_metadata(call.absolute(path), metadata);
}

Watcher Files::watch(const std::string& path, const WatchOptions& options) const {
  return Watcher(std::make_unique<WatchState>(context_, path, options));
}

}  // namespace sandbox
