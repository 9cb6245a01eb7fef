#pragma once

#include <sys/stat.h>

#include <string>

#include "sandbox/files.h"

namespace sandbox {

/// Moving bytes between an open regular file and the caller. Reading ends where the file ended when
/// it was opened, so that a writer inside cannot keep it going; files that say size 0 (procfs) are
/// read to their end. Nothing is allocated by the size alone: sparse files claim 1 EiB.
struct FileRange {
  int fd = -1;
  const struct stat& status;
  const std::string& path;  ///< For errors.
};

std::string read_range(const FileRange& file, const ReadOptions& options);
uint64_t read_range(const FileRange& file, const ReadOptions& options,
                    const ChunkCallback& callback);

/// Throws Error; `path` is its subject.
void write_text(int fd, std::string_view data, const std::string& path);
/// Copies from `source`, of any kind, to its end.
void write_stream(int fd, int source, const std::string& path);

}  // namespace sandbox
