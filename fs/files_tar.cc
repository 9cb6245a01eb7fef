// Apart from the other transfers, so that a program without archives does not link libarchive.

#include <sys/stat.h>

#include <utility>

#include "fs/file_ops.h"
#include "fs/files_call.h"
#include "fs/sandbox_path.h"
#include "fs/tar.h"
#include "sandbox/files.h"

namespace sandbox {
namespace {

UniqueFd open_or_make(const FilesCall& call, const std::string& path) {
  call->make_dir(path);
  return call->open_directory(path);
}

bool is_directory(const FilesCall& call, const std::string& path) {
  return S_ISDIR(call->resolve(path, Symlinks::Follow).status.stx_mode);
}

}  // namespace

// The directory becomes the root of the unpacking, so nothing in the archive can name what is
// outside.
TransferResult Files::upload_tar(int fd, const std::string& path,
                                 const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const RootDir directory(open_or_make(call, call.absolute(path)));
  const FileOps target(directory, context_->owner(options.user), context_->names());
  return read_tar(fd, target, options);
}

TransferResult Files::download_tar(const std::string& path, int fd,
                                   const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string source = call.absolute(path);
  if (is_directory(call, source)) {
    UniqueFd directory = call->open_directory(source);
    return write_tar(std::move(directory), context_->owner(options.user), fd, options);
  }
  return write_tar(call->open_for_read(source), base_name(source), fd, options);
}

}  // namespace sandbox
