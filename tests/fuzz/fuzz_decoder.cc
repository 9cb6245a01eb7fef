// One libFuzzer target for each decoder: SANDBOX_FUZZ_DECODER is its name.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "tests/fuzz/decoders.h"

namespace {

const sandbox::test::Decoder& find_decoder(std::string_view name) {
  for (const sandbox::test::Decoder& decoder : sandbox::test::decoders()) {
    if (decoder.name == name) return decoder;
  }
  std::abort();
}

}  // namespace

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sandbox::test::Decoder& decoder = find_decoder(SANDBOX_FUZZ_DECODER);
  decoder.decode(std::as_bytes(std::span(data, size)));
  return 0;
}
