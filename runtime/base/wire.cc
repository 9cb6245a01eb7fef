#include "runtime/base/wire.h"

#include <cerrno>
#include <cstring>

#include "sandbox/error.h"

namespace sandbox {

void WireWriter::raw(const void* data, std::size_t size) {
  const auto* begin = static_cast<const std::byte*>(data);
  message_.insert(message_.end(), begin, begin + size);
}

void WireWriter::text(std::string_view value) {
  u64(value.size());
  raw(value.data(), value.size());
}

void WireWriter::texts(const std::vector<std::string>& values) {
  u64(values.size());
  for (const std::string& value : values) text(value);
}

void WireWriter::bytes(std::span<const std::byte> value) {
  u64(value.size());
  raw(value.data(), value.size());
}

std::span<const std::byte> WireReader::take(std::size_t size) {
  if (size > rest_.size()) throw Error(EBADMSG, "decode", "message");
  const std::span<const std::byte> taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

uint32_t WireReader::u32() {
  uint32_t value = 0;
  std::memcpy(&value, take(sizeof(value)).data(), sizeof(value));
  return value;
}

uint64_t WireReader::u64() {
  uint64_t value = 0;
  std::memcpy(&value, take(sizeof(value)).data(), sizeof(value));
  return value;
}

std::string WireReader::text() {
  const std::span<const std::byte> taken = take(u64());
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::vector<std::string> WireReader::texts() {
  const uint64_t count = u64();
  // Each string takes at least its length field: a larger count is a lie, told before we allocate.
  if (count > rest_.size() / sizeof(uint64_t)) throw Error(EBADMSG, "decode", "message");
  std::vector<std::string> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.push_back(text());
  return values;
}

std::vector<std::byte> WireReader::bytes() {
  const std::span<const std::byte> taken = take(u64());
  return {taken.begin(), taken.end()};
}

void WireReader::finish() const {
  if (!rest_.empty()) throw Error(EBADMSG, "decode", "message");
}

}  // namespace sandbox
