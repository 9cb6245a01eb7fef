#pragma once

#include <string>

#include "fs/file_ops.h"
#include "sandbox/files.h"

namespace sandbox {

/// Writes the content of `directory`, open for reading and walked with the rights of `owner`, to
/// `fd` as a pax archive: names as bytes, sparse files with their holes, modes 0777, times. FIFOs,
/// sockets, devices and other mounts are skipped. Throws Error.
TransferResult write_tar(UniqueFd directory, const FileOwner& owner, int fd,
                         const TransferOptions& options);

/// The same for one file, under `name`.
TransferResult write_tar(const OpenedFile& file, const std::string& name, int fd,
                         const TransferOptions& options);

/// Unpacks the archive that `fd` gives into `target`, whose root is the directory that it is for:
/// so neither ".." nor a symlink of the archive leads out of it. Modes 0777, modification times,
/// symlinks and holes are kept, owners are not; hard links become copies; devices and FIFOs are
/// skipped. Throws Error; EINVAL for what is no archive.
TransferResult read_tar(int fd, const FileOps& target, const TransferOptions& options);

}  // namespace sandbox
