#include "runtime/sandboxctl/copy_rules.h"

#include <cerrno>
#include <system_error>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

Failure refusal(const CopyPath& path, int error, const char* hint) {
  return {kFailed, Message{.doing = "copying",
                           .subject = path.typed,
                           .reason = std::generic_category().message(error),
                           .hint = hint}};
}

bool wants_directory(const CopyPath& path) { return path.typed.ends_with('/'); }

void require_source(const CopyPath& source, bool recursively) {
  if (source.kind == PathKind::Missing) throw refusal(source, ENOENT, "");
  if (source.kind == PathKind::File && wants_directory(source)) {
    throw refusal(source, ENOTDIR, "leave out the slash at the end");
  }
  if (source.kind == PathKind::Directory && !recursively) {
    throw refusal(source, EISDIR, "-r copies directories");
  }
}

}  // namespace

std::string name_of(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "." || name == ".." ? std::string() : std::string(name);
}

std::string copy_suffix(const CopyPath& source, const std::string& name, const CopyPath& target,
                        bool recursively) {
  require_source(source, recursively);
  const bool file = source.kind == PathKind::File;
  switch (target.kind) {
    case PathKind::Directory:
      if (!name.empty()) return (wants_directory(target) ? "" : "/") + name;
      if (file) throw refusal(target, EISDIR, "name the file to write");
      return "";
    case PathKind::File:
      if (!file || wants_directory(target)) throw refusal(target, ENOTDIR, "a file has this name");
      return "";
    case PathKind::Missing:
      if (file && wants_directory(target)) {
        throw refusal(target, ENOENT,
                      "make the directory first, or leave out the slash at the end");
      }
      return "";
  }
  return "";
}

}  // namespace sandboxctl
