// What `cp` does, once the sandbox is found.

#include "runtime/sandboxctl/copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/sandboxctl/copy_rules.h"
#include "runtime/sandboxctl/file_errors.h"
#include "runtime/sandboxctl/progress_line.h"
#include "runtime/sandboxctl/stdin_source.h"
#include "runtime/sandboxctl/terminal.h"

namespace sandboxctl {
namespace {

using sandbox::EntryType;
using sandbox::Files;

constexpr const char* kCopying = "copying";

CopyPath host_path(const Endpoint& side) {
  std::string path = side.path;  // Without the slash, or stat(2) refuses "file/" for us.
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return {side.text(), S_ISDIR(status.st_mode) ? PathKind::Directory : PathKind::File};
  }
  if (errno != ENOENT) throw file_failure(kCopying, side.text(), errno);
  return {side.text(), PathKind::Missing};
}

struct SandboxPath {
  CopyPath path;
  std::string name;
};

// The name is that of the entry where there is one: `~` has one, too.
SandboxPath sandbox_path(const Files& files, const Endpoint& side, const std::string& user) {
  const auto entry = explained(kCopying, side.text(), [&] { return files.stat(side.path, user); });
  if (!entry) return {{side.text(), PathKind::Missing}, name_of(side.path)};
  const bool directory = entry->type == EntryType::Directory;
  const std::string name = name_of(side.path);
  return {{side.text(), directory ? PathKind::Directory : PathKind::File},
          name == "~" ? name_of(entry->name) : name};
}

// What a sandbox has put on this host before may be a symlink: no tree is written through one.
void refuse_symlink(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return;
  throw Failure(kFailed, {kCopying, path, "a symbolic link is in the way of the directory",
                          "remove it, or name the directory that it leads to"});
}

sandbox::TransferOptions with_progress(const CopyRequest& request, const SignalInbox& inbox,
                                       ProgressLine& line) {
  sandbox::TransferOptions options{.user = request.user};
  options.progress = [&](const sandbox::TransferProgress& progress) {
    throw_if_interrupted(inbox);
    line.update(progress);
  };
  return options;
}

std::vector<std::string> upload(const Files& files, const CopyRequest& request) {
  const CopyPath source = host_path(request.from);
  const CopyPath target = sandbox_path(files, request.to, request.user).path;
  const std::string suffix =
      copy_suffix(source, name_of(request.from.path), target, request.recursively);

  const SignalInbox inbox;
  ProgressLine line(STDERR_FILENO);
  return explained(kCopying, request.to.text(), [&] {
    return files
        .upload(request.from.path, request.to.path + suffix, with_progress(request, inbox, line))
        .skipped;
  });
}

std::vector<std::string> download(const Files& files, const CopyRequest& request) {
  const auto [source, name] = sandbox_path(files, request.from, request.user);
  const CopyPath target = host_path(request.to);
  const std::string suffix = copy_suffix(source, name, target, request.recursively);
  const std::string path = request.to.path + suffix;
  if (source.kind == PathKind::Directory && !suffix.empty()) refuse_symlink(path);

  const SignalInbox inbox;
  ProgressLine line(STDERR_FILENO);
  return explained(kCopying, request.from.text(), [&] {
    return files.download(request.from.path, path, with_progress(request, inbox, line)).skipped;
  });
}

void upload_stdin(const Files& files, const CopyRequest& request) {
  const CopyPath target = sandbox_path(files, request.to, request.user).path;
  copy_suffix({"-", PathKind::File}, "", target, false);

  const SignalInbox inbox;
  ProgressLine line(STDERR_FILENO);
  StdinSource source(inbox);
  uint64_t bytes = 0;
  const auto next = [&] {
    line.update({.path = {}, .files = 0, .bytes = bytes});
    const std::string_view chunk = source.next();
    bytes += chunk.size();
    return chunk;
  };
  explained(kCopying, request.to.text(), [&] {
    return files.write_chunks(request.to.path, next,
                              {.user = request.user, .mode = sandbox::WriteMode::Atomic});
  });
}

// Nothing is to be undone here, so signals do what they do.
void download_to_stdout(const Files& files, const CopyRequest& request) {
  // A line for the progress would stand in the middle of the data on a terminal.
  ProgressLine line(is_terminal(STDOUT_FILENO) ? -1 : STDERR_FILENO);
  uint64_t bytes = 0;
  const auto print = [&](std::string_view chunk) {
    print_output(chunk);
    bytes += chunk.size();
    line.update({.path = {}, .files = 0, .bytes = bytes});
  };
  explained(kCopying, request.from.text(),
            [&] { return files.read_chunks(request.from.path, print, {.user = request.user}); });
}

}  // namespace

std::vector<std::string> copy(const Files& files, const CopyRequest& request) {
  if (request.from.kind == Endpoint::Kind::Host) return upload(files, request);
  if (request.to.kind == Endpoint::Kind::Host) return download(files, request);
  if (request.from.kind == Endpoint::Kind::Stream) {
    upload_stdin(files, request);
  } else {
    download_to_stdout(files, request);
  }
  return {};
}

}  // namespace sandboxctl
