#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "sandbox/error.h"

namespace sandbox {

// What both directions need of libarchive's handles: owners, and one way to an Error.

/// Bytes that archives are read and written by: a hundredth of the system calls of tar's own 10
/// KiB.
inline constexpr std::size_t kTarBlock = 256 << 10;

struct FreeWriter {
  void operator()(archive* a) const noexcept { ::archive_write_free(a); }
};
struct FreeReader {
  void operator()(archive* a) const noexcept { ::archive_read_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const noexcept { ::archive_entry_free(e); }
};

/// Its numbers are errno values, or EILSEQ and -1 for archives that are damaged or none: EINVAL to
/// us. Warnings pass: they are about things we do not ask of an archive.
inline void require_ok(archive* a, la_ssize_t result, const std::string& path) {
  if (result >= ARCHIVE_WARN) return;
  const int error = ::archive_errno(a);
  const char* text = ::archive_error_string(a);
  throw Error(error > 0 && error != EILSEQ ? error : EINVAL, "tar", path,
              text != nullptr ? text : "");
}

/// Compressions that libarchive unpacks itself. For others, lzop and lrzip, it would run a program
/// of the host on what somebody hostile has packed.
inline void support_filters(archive* a, const std::string& path) {
  require_ok(a, ::archive_read_support_filter_gzip(a), path);
  require_ok(a, ::archive_read_support_filter_bzip2(a), path);
  require_ok(a, ::archive_read_support_filter_xz(a), path);
  require_ok(a, ::archive_read_support_filter_zstd(a), path);
}

}  // namespace sandbox
