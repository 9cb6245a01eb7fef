#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>

#include "fs/tar_archive.h"
#include "templates/byte_sink.h"

namespace sandbox {

/// A tar archive being written, of pax format: times have nanoseconds, and nothing in it depends on
/// when, where or by whom it is written. Throws Error, and what the sink throws.
class TarStream {
 public:
  enum class Names {
    Ascii,
    Bytes,  ///< Declared in each entry, which some programs remark upon.
  };

  TarStream(ByteSink sink, Names names);
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;
  ~TarStream();

  /// A description of the next entry, empty.
  archive_entry* next_entry();
  /// Writes it, with `path` as its name. Its content, if it has any, comes with write().
  void begin(const std::string& path);
  void write(std::span<const std::byte> content);
  /// Writes the archive's end.
  void finish();

 private:
  static la_ssize_t pass_on(archive* a, void* self, const void* data, std::size_t size) noexcept;
  void require(la_ssize_t result);

  ByteSink sink_;
  std::exception_ptr failure_;  ///< Of the sink, while C code stands between it and us.
  std::string path_;
  std::unique_ptr<archive, FreeWriter> archive_;
  std::unique_ptr<archive_entry, FreeEntry> entry_;
};

}  // namespace sandbox
