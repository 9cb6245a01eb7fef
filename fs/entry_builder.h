#pragma once

#include <sys/stat.h>

#include <string>

#include "fs/file_owner.h"
#include "fs/root_dir.h"
#include "sandbox/entry_info.h"

namespace sandbox {

/// EntryInfo from what statx(2) said of `path` itself, symlinks not followed. Of a symlink, type
/// and mode are then filled in from its target by follow_link().
EntryInfo make_entry(std::string path, std::string name, const struct statx& status,
                     const IdNames& names);

/// For an entry that is a symlink: looks at what it leads to, in the root.
void follow_link(EntryInfo& entry, const RootDir& root);

/// "-rw-r--r--", "drwxr-xr-x", "Lrwxrwxrwx", "dtrwxrwxrwx": as Go's fs.FileMode prints it, which is
/// what programs written for E2B expect.
std::string permissions_of(uint32_t mode);

}  // namespace sandbox
