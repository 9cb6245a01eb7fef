// The fuzz targets without a fuzzer: messages that are cut, lengthened, changed and random, the
// same ones in every run. With the sanitizers this finds what reads past an end or takes too much
// memory.

#include "tests/fuzz/decoders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace sandbox::test {
namespace {

using Bytes = std::vector<std::byte>;

class Random {
 public:
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  std::byte byte() { return static_cast<std::byte>(engine_()); }

 private:
  std::mt19937 engine_{4711};
};

// Values at which lengths and counts go wrong, in little-endian order.
std::uint64_t suspicious(Random& random) {
  constexpr std::uint64_t kValues[] = {0,          1,          0x7f,       0xff,
                                       0xffff,     0x7fffffff, 0xffffffff, 0x100000000,
                                       1ULL << 61, 1ULL << 63, ~0ULL,      ~0ULL - 7};
  return kValues[random.below(std::size(kValues))];
}

Bytes mutated(Bytes message, Random& random) {
  for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::size_t at = random.below(message.size() + 1);
    const auto place = message.begin() + static_cast<std::ptrdiff_t>(at);
    switch (random.below(5)) {
      case 0:
        message.erase(place, message.end());
        break;
      case 1:
        message.insert(place, random.below(9), random.byte());
        break;
      case 2:
        if (place != message.end()) *place = random.byte();
        break;
      case 3:
        message.insert(message.end(), message.begin(), place);
        break;
      default: {
        const std::uint64_t value = suspicious(random);
        const auto bytes = std::as_bytes(std::span(&value, 1));
        const auto size = std::min<std::size_t>(bytes.size(), message.size() - at);
        std::copy_n(bytes.begin(), size, place);
      }
    }
  }
  return message;
}

class Decoding : public ::testing::TestWithParam<Decoder> {};

TEST_P(Decoding, AcceptsItsCorpusAtAnyLength) {
  for (const Bytes& message : GetParam().corpus) {
    const std::size_t stride = 1 + message.size() / static_cast<std::size_t>(GetParam().tries);
    for (std::size_t size = 0; size <= message.size(); size += stride) {
      GetParam().decode(std::span(message.data(), size));
    }
  }
}

TEST_P(Decoding, SurvivesMutatedMessages) {
  Random random;
  for (int i = 0; i < GetParam().tries; ++i) {
    const std::vector<Bytes>& corpus = GetParam().corpus;
    GetParam().decode(mutated(corpus.at(random.below(corpus.size())), random));
  }
}

TEST_P(Decoding, SurvivesRandomBytes) {
  Random random;
  for (int i = 0; i < GetParam().tries; ++i) {
    Bytes noise(random.below(200));
    std::generate(noise.begin(), noise.end(), [&] { return random.byte(); });
    GetParam().decode(noise);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Decoding, ::testing::ValuesIn(decoders()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace sandbox::test
