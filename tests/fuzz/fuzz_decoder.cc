// The program for libFuzzer: SANDBOX_FUZZ_DECODER names the decoder, and SANDBOX_FUZZ_SEEDS a
// directory for the messages that it accepts, from which to start.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

#include "tests/fuzz/decoders.h"

namespace {

using sandbox::test::Decoder;

const char* variable(const char* name) {
  if (const char* const value = std::getenv(name)) return value;
  std::fprintf(stderr, "%s is not set\n", name);
  std::exit(2);
}

const Decoder& find_decoder() {
  const std::string name = variable("SANDBOX_FUZZ_DECODER");
  for (const Decoder& decoder : sandbox::test::decoders()) {
    if (decoder.name == name) return decoder;
  }
  std::fprintf(stderr, "there is no decoder %s\n", name.c_str());
  std::exit(2);
}

}  // namespace

// The names are libFuzzer's. NOLINTBEGIN(readability-identifier-naming)
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const std::string directory = variable("SANDBOX_FUZZ_SEEDS");
  std::size_t number = 0;
  for (const std::vector<std::byte>& seed : find_decoder().corpus) {
    std::ofstream file(directory + "/seed" + std::to_string(number++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Decoder& decoder = find_decoder();
  decoder.decode(std::as_bytes(std::span(data, size)));
  return 0;
}
// NOLINTEND(readability-identifier-naming)
