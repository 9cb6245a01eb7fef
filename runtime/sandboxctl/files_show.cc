// The verbs below `files` that look: ls, tree, stat, cat.

#include <cerrno>
#include <utility>

#include "runtime/sandboxctl/entries.h"
#include "runtime/sandboxctl/file_errors.h"
#include "runtime/sandboxctl/files_actions.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"

namespace sandboxctl {
namespace {

using sandbox::EntryInfo;
using sandbox::EntryType;
using sandbox::Files;

EntryInfo entry_at(const Files& files, const FilesRequest& request, const std::string& path,
                   const char* doing) {
  auto entry = explained(doing, request.text(path), [&] { return files.stat(path, request.user); });
  if (!entry) throw file_failure(doing, request.text(path), ENOENT);
  return std::move(*entry);
}

// A file lists itself, as ls(1) has it.
std::vector<EntryInfo> list(const Files& files, const FilesRequest& request, const EntryInfo& top,
                            const std::string& path) {
  if (top.type != EntryType::Directory) return {top};
  return explained("listing", request.text(path), [&] {
    return files.list(path,
                      {.user = request.user, .depth = request.depth, .metadata = request.json});
  });
}

}  // namespace

void list_entries(const Files& files, const FilesRequest& request) {
  std::vector<EntryInfo> all;
  std::string text;
  for (const std::string& path : request.paths) {
    const EntryInfo top = entry_at(files, request, path, "listing");
    std::vector<EntryInfo> entries = list(files, request, top, path);
    if (request.paths.size() > 1) text += escape_for_terminal(path) + ":\n";
    text += entry_table(entries, colour_wanted());
    all.insert(all.end(), std::make_move_iterator(entries.begin()),
               std::make_move_iterator(entries.end()));
  }
  print_output(request.json ? entry_document(all) : text);
}

void print_tree(const Files& files, const FilesRequest& request) {
  const std::string& path = request.paths.front();
  const EntryInfo top = entry_at(files, request, path, "listing");
  const std::vector<EntryInfo> entries = list(files, request, top, path);
  print_output(request.json ? entry_document(entries)
                            : entry_tree(top.path, entries, colour_wanted()));
}

void print_details(const Files& files, const FilesRequest& request) {
  std::vector<EntryInfo> entries;
  std::string text;
  for (const std::string& path : request.paths) {
    entries.push_back(entry_at(files, request, path, "looking at"));
    if (!text.empty()) text += '\n';
    text += entry_details(entries.back());
  }
  print_output(request.json ? entry_document(entries) : text);
}

void print_content(const Files& files, const FilesRequest& request) {
  for (const std::string& path : request.paths) {
    explained("reading", request.text(path),
              [&] { return files.read_chunks(path, print_output, {.user = request.user}); });
  }
}

}  // namespace sandboxctl
