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
  /// Of the plain tests: fewer for one that takes long.
  int tries = 20'000;
};

/// All those below.
const std::vector<Decoder>& decoders();

/// Messages between our processes, and account files.
std::vector<Decoder> message_decoders();

/// Manifests, documents of images, records and listings of the store.
std::vector<Decoder> template_decoders();

/// Layers of images, unpacked. Dies when one of them reaches what lies beside its tree.
Decoder tar_import();

}  // namespace sandbox::test
