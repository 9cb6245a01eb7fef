#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>

namespace sandbox {

/// Ownership and modes of a layer, declared:
///
/// Files of a stored layer belong to the caller (with euid 0 to the ids that its sandboxes run as),
/// whoever owned them in the source: with a single id there is nobody else, and inside they are the
/// sandbox's user's own. Set-id bits are never stored; files are readable and directories usable by
/// their owner, or neither digests nor removal would work. Devices, sockets, FIFOs, capabilities,
/// ACLs and all xattrs outside of `user.` are left out; so is `user.overlay.`, by which a layer
/// would tell the kernel how to read it. The listing of a layer keeps the mode and the owner that
/// the source had.
mode_t stored_mode(mode_t mode, bool directory) noexcept;

using Xattrs = std::map<std::string, std::string>;

/// What a source says of an entry besides its content.
struct EntryStatus {
  mode_t mode = 0;  ///< Permission and set-id bits.
  uint32_t uid = 0;
  uint32_t gid = 0;
  timespec modified = {};
  Xattrs xattrs = {};  ///< Only those that a layer may have.
};

/// True for xattrs that a layer may have.
bool is_kept_xattr(std::string_view name) noexcept;

/// One entry of a layer's listing.
struct LayerEntry {
  enum class Type : char {
    Directory = 'd',
    Opaque = 'o',  ///< A directory that hides those of the same name in layers below.
    File = 'f',
    Hardlink = 'h',  ///< Another name of a file that was listed before.
    Symlink = 'l',
    Whiteout = 'w',  ///< Hides what layers below have under its name.
  };

  Type type = Type::File;
  std::string path;  ///< Relative; "." for the top.
  EntryStatus status;
  uint64_t size = 0;
  /// SHA-256 of a file, target of a symlink, first name of a hard link.
  std::string content;
};

/// Its line, or lines when it has xattrs; the last one ends with '\n'. Bytes that would make a line
/// ambiguous become `\ooo`.
std::string format_entry(const LayerEntry& entry);

/// The inverse of format_entry() for the text that it gave for one entry. Throws Error with EBADMSG
/// for any other.
LayerEntry parse_entry(std::string_view text);

/// Takes the text of the next entry off `listing`; empty at its end.
std::string_view take_entry(std::string_view& listing) noexcept;

}  // namespace sandbox
