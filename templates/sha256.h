#pragma once

#include <nettle/sha2.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sandbox {

/// SHA-256 by nettle, which uses the processor's instructions for it where there are any.
class Sha256 {
 public:
  Sha256() noexcept { ::sha256_init(&state_); }

  void add(std::span<const std::byte> data) noexcept;
  void add(std::string_view text) noexcept { add(std::as_bytes(std::span(text))); }
  /// With its length before it, so that "ab" and "c" are not "a" and "bc".
  void add_field(std::string_view text) noexcept;

  /// Of all that was added, as 64 lower-case hexadecimal digits. Starts anew.
  std::string finish() noexcept;

 private:
  sha256_ctx state_{};
};

/// Of one text.
std::string sha256_of(std::string_view text);

/// Of what `fd` gives from its offset to its end; `subject` names it in the Error.
std::string sha256_of_file(int fd, const std::string& subject);

/// True for 64 lower-case hexadecimal digits: what may become part of a path.
bool is_sha256(std::string_view text) noexcept;

}  // namespace sandbox
