#include "templates/tar_stream.h"

#include <utility>

namespace sandbox {

TarStream::TarStream(ByteSink sink, Names names)
    : sink_(std::move(sink)), archive_(::archive_write_new()), entry_(::archive_entry_new()) {
  archive* const a = archive_.get();
  require(::archive_write_set_format_pax(a));
  // Else libarchive refuses or changes names that are not UTF-8.
  if (names == Names::Bytes) {
    require(::archive_write_set_format_option(a, "pax", "hdrcharset", "BINARY"));
  }
  // The form that other programs know. libarchive would write each value twice.
  require(::archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY"));
  require(::archive_write_set_bytes_per_block(a, kTarBlock));
  require(::archive_write_set_bytes_in_last_block(a, 1));
  require(::archive_write_open(a, this, nullptr, pass_on, nullptr));
}

// Without a sink, or what was begun and is not finished would be filled up with zeros, 5 GiB
// perhaps. Not by archive_write_fail(3): what has failed, libarchive 3.6 does not free.
TarStream::~TarStream() {
  sink_ = nullptr;
  ::archive_write_close(archive_.get());
}

la_ssize_t TarStream::pass_on(archive* a, void* self, const void* data, std::size_t size) noexcept {
  auto* const stream = static_cast<TarStream*>(self);
  if (!stream->sink_) return -1;
  try {
    stream->sink_({static_cast<const std::byte*>(data), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) {
    stream->failure_ = std::current_exception();
    ::archive_set_error(a, EIO, "the sink failed");
    return -1;
  }
}

void TarStream::require(la_ssize_t result) {
  if (failure_) std::rethrow_exception(failure_);
  require_ok(archive_.get(), result, path_);
}

archive_entry* TarStream::next_entry() { return ::archive_entry_clear(entry_.get()); }

void TarStream::begin(const std::string& path) {
  path_ = path;
  ::archive_entry_set_pathname(entry_.get(), path.c_str());
  require(::archive_write_header(archive_.get(), entry_.get()));
}

void TarStream::write(std::span<const std::byte> content) {
  require(::archive_write_data(archive_.get(), content.data(), content.size()));
}

void TarStream::finish() { require(::archive_write_close(archive_.get())); }

}  // namespace sandbox
