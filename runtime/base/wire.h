#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// Builds a message: fixed-size integers in host byte order, strings with their length before them.
/// Both ends are the same build on the same machine, so there is no version and no padding.
class WireWriter {
 public:
  void u32(uint32_t value) { raw(&value, sizeof(value)); }
  void u64(uint64_t value) { raw(&value, sizeof(value)); }
  void text(std::string_view value);
  void texts(const std::vector<std::string>& values);
  void bytes(std::span<const std::byte> value);

  std::span<const std::byte> message() const noexcept { return message_; }

 private:
  void raw(const void* data, std::size_t size);

  std::vector<std::byte> message_;
};

/// Takes a message apart. Every read is checked against the end; a message that is too short, too
/// long or claims more than it holds throws Error with EBADMSG (CVE-2021-43784 was such a length).
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> message) noexcept : rest_(message) {}

  uint32_t u32();
  uint64_t u64();
  std::string text();
  std::vector<std::string> texts();
  std::vector<std::byte> bytes();

  /// Throws unless everything has been read.
  void finish() const;

 private:
  std::span<const std::byte> take(std::size_t size);

  std::span<const std::byte> rest_;
};

}  // namespace sandbox
