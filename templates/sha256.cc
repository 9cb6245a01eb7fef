#include "templates/sha256.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "sandbox/error.h"

namespace sandbox {

void Sha256::add(std::span<const std::byte> data) noexcept {
  ::sha256_update(&state_, data.size(), reinterpret_cast<const uint8_t*>(data.data()));
}

void Sha256::add_field(std::string_view text) noexcept {
  const std::size_t size = text.size();
  add(std::as_bytes(std::span(&size, 1)));
  add(text);
}

std::string Sha256::finish() noexcept {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<uint8_t, SHA256_DIGEST_SIZE> digest{};
  ::sha256_digest(&state_, digest.size(), digest.data());
  std::string text;
  for (const unsigned byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_of(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.finish();
}

std::string sha256_of_file(int fd, const std::string& subject) {
  constexpr std::size_t kBlock = 256 << 10;
  const auto block = std::make_unique<std::byte[]>(kBlock);
  Sha256 hash;
  for (;;) {
    const ssize_t size = check(::read(fd, block.get(), kBlock), "read", subject);
    if (size == 0) return hash.finish();
    hash.add({block.get(), static_cast<std::size_t>(size)});
  }
}

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace sandbox
