#pragma once

#include <string>
#include <vector>

#include "sandbox/files.h"

namespace sandboxctl {

/// What a verb below `files` was asked for.
struct FilesRequest {
  std::string id{};  ///< Of the sandbox, as typed, for messages.
  std::vector<std::string> paths{};
  std::string user{};
  bool json = false;
  int depth = 1;

  std::string text(const std::string& path) const { return id + ":" + path; }
};

// Each prints what was asked for. All throw Failure.

void list_entries(const sandbox::Files& files, const FilesRequest& request);
void print_tree(const sandbox::Files& files, const FilesRequest& request);
void print_details(const sandbox::Files& files, const FilesRequest& request);
void print_content(const sandbox::Files& files, const FilesRequest& request);

/// From stdin; throws Interrupted.
void write_content(const sandbox::Files& files, const FilesRequest& request);
void make_directories(const sandbox::Files& files, const FilesRequest& request);
/// Into the second path when that is a directory, else to it.
void move_entry(const sandbox::Files& files, const FilesRequest& request);
void remove_entries(const sandbox::Files& files, const FilesRequest& request);

}  // namespace sandboxctl
