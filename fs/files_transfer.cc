#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "fs/file_ops.h"
#include "fs/files_call.h"
#include "fs/fs_identity.h"
#include "fs/sandbox_path.h"
#include "fs/tree_copy.h"
#include "sandbox/error.h"
#include "sandbox/files.h"

namespace sandbox {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// The host's own paths are the caller's business: symlinks are followed as in any program.
OpenedFile open_host(const std::string& path) {
  OpenedFile file;
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  file.fd.reset(check(fd, "open", path));
  check(::fstat(file.fd.get(), &file.status), "fstat", path);
  if (!S_ISDIR(file.status.st_mode) && !S_ISREG(file.status.st_mode)) {
    throw_not_a_file(file.status.st_mode, path);
  }
  return file;
}

UniqueFd make_host_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw Error(errno, "mkdir", path);
  return UniqueFd(check(::open(path.c_str(), kDirectory), "open", path));
}

ParentAndName host_parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  ParentAndName split;
  split.name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (split.name.empty() || split.name == "." || split.name == "..") {
    throw Error(EISDIR, "open", path, "a file needs a name to be written to");
  }
  split.parent.fd.reset(check(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open", dir));
  return split;
}

ParentAndName sandbox_parent(const FilesCall& call, const std::string& path) {
  const MaybeIdentity as_owner(call.side().owner);  // They are the owner's to make.
  call->make_parents(path);
  return call->resolve_parent(path);
}

TransferResult copy_inside(const FilesCall& call, const std::string& from, const std::string& to,
                           const TransferOptions& options) {
  TreeCopy copy(call.side(), call.side(), options);
  if (call->is_directory(from)) {
    UniqueFd source = call->open_directory(from);
    return std::move(copy).copy_directory(std::move(source), call->make_and_open_directory(to));
  }
  const OpenedFile source = call->open_for_read(from);
  return std::move(copy).copy_file(source, sandbox_parent(call, to), base_name(to));
}

}  // namespace

TransferResult Files::copy(const std::string& from, const std::string& to,
                           const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  return copy_inside(call, call.absolute(from), call.absolute(to), options);
}

EntryInfo Files::rename(const std::string& from, const std::string& to,
                        const std::string& user) const {
  const FilesCall call(*context_, user);
  const std::string source = call.absolute(from);
  const std::string target = call.absolute(to);
  if (!call->rename(source, target)) {
    const TransferResult moved = copy_inside(call, source, target, {});
    if (!moved.skipped.empty()) {
      throw Error(EXDEV, "rename", moved.skipped.front(),
                  "it cannot be copied; nothing was removed");
    }
    call->remove(source);
  }
  std::optional<EntryInfo> entry = call->stat(target);
  if (!entry) throw Error(ENOENT, "rename", target);
  return std::move(*entry);
}

TransferResult Files::upload(const std::string& host_path, const std::string& path,
                             const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string target = call.absolute(path);
  OpenedFile source = open_host(host_path);
  TreeCopy copy({}, call.side(), options);
  if (S_ISDIR(source.status.st_mode)) {
    UniqueFd directory = call->make_and_open_directory(target);
    return std::move(copy).copy_directory(std::move(source.fd), std::move(directory));
  }
  return std::move(copy).copy_file(source, sandbox_parent(call, target), base_name(target));
}

TransferResult Files::download(const std::string& path, const std::string& host_path,
                               const TransferOptions& options) const {
  const FilesCall call(*context_, options.user);
  const std::string source = call.absolute(path);
  TreeCopy copy(call.side(), {}, options);
  if (call->is_directory(source)) {
    UniqueFd directory = call->open_directory(source);
    return std::move(copy).copy_directory(std::move(directory), make_host_directory(host_path));
  }
  const OpenedFile file = call->open_for_read(source);
  return std::move(copy).copy_file(file, host_parent(host_path), base_name(source));
}

}  // namespace sandbox
