// Apart from the other transfers, so that a program without archives does not link libarchive.

#include <utility>

#include "fs/file_ops.h"
#include "fs/files_call.h"
#include "fs/sandbox_path.h"
#include "fs/tar.h"
#include "sandbox/files.h"

namespace sandbox {

// The directory becomes the root of the unpacking, so nothing in the archive can name what is
// outside.
TransferResult Files::upload_tar(int fd, const std::string& path,
                                 const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const RootDir directory(call->make_and_open_directory(call.absolute(path)));
  const FileOps target(directory, context_->owner(options.user), context_->names());
  return read_tar(fd, target, options);
}

TransferResult Files::download_tar(const std::string& path, int fd,
                                   const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string source = call.absolute(path);
  if (call->is_directory(source)) {
    UniqueFd directory = call->open_directory(source);
    return write_tar(std::move(directory), context_->owner(options.user), fd, options);
  }
  return write_tar(call->open_for_read(source), base_name(source), fd, options);
}

}  // namespace sandbox
