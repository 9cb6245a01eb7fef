#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sandbox::test {

/// A decoder of bytes that somebody else wrote, and messages that it accepts.
struct Decoder {
  std::string name;
  /// Decodes `input`. A refusal, an Error, is an answer; anything else that it throws passes
  /// through.
  std::function<void(std::span<const std::byte> input)> decode;
  std::vector<std::vector<std::byte>> corpus;
};

/// Of messages between our processes, account files, and what template_decoders() has.
const std::vector<Decoder>& decoders();

/// Manifests, documents of images, records and listings of the store.
std::vector<Decoder> template_decoders();

}  // namespace sandbox::test
