// The verbs below `files` that change something: write, mkdir, mv, rm.

#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/entries.h"
#include "runtime/sandboxctl/file_errors.h"
#include "runtime/sandboxctl/files_actions.h"
#include "runtime/sandboxctl/stdin_source.h"
#include "runtime/sandboxctl/terminal.h"

namespace sandboxctl {
namespace {

using sandbox::EntryInfo;
using sandbox::EntryType;
using sandbox::Files;

// Where `from` goes when it is moved to `to`.
std::string move_target(const Files& files, const FilesRequest& request, const EntryInfo& from,
                        const std::string& to) {
  const auto there =
      explained("moving", request.text(to), [&] { return files.stat(to, request.user); });
  if (!there || there->type != EntryType::Directory) return to;
  return to + "/" + from.name;
}

}  // namespace

void write_content(const Files& files, const FilesRequest& request) {
  const std::string& path = request.paths.front();
  const SignalInbox inbox;
  StdinSource source(inbox);
  const auto entry = explained("writing", request.text(path), [&] {
    files.write_chunks(path, [&] { return source.next(); }, {.user = request.user});
    return files.stat(path, request.user);
  });
  if (request.json && entry) print_output(dump(entry_fields(*entry)));
}

void make_directories(const Files& files, const FilesRequest& request) {
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  for (const std::string& path : request.paths) {
    explained("making the directory", request.text(path), [&] {
      const bool created = files.make_dir(path, request.user);
      const auto entry = files.stat(path, request.user);
      if (entry) document.push_back(entry_fields(*entry));
      if (entry) document.back()["created"] = created;
    });
  }
  if (request.json) print_output(dump(document));
}

void move_entry(const Files& files, const FilesRequest& request) {
  const std::string& from = request.paths[0];
  const std::string& to = request.paths[1];
  const auto source =
      explained("moving", request.text(from), [&] { return files.stat(from, request.user); });
  if (!source) throw file_failure("moving", request.text(from), ENOENT);
  const std::string target = move_target(files, request, *source, to);
  const EntryInfo moved = explained("moving", request.text(from),
                                    [&] { return files.rename(from, target, request.user); });
  if (request.json) print_output(dump(entry_fields(moved)));
}

void remove_entries(const Files& files, const FilesRequest& request) {
  for (const std::string& path : request.paths) {
    explained("removing", request.text(path), [&] { files.remove(path, request.user); });
  }
}

}  // namespace sandboxctl
