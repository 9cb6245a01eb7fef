#include "tests/fuzz/decoders.h"

#include <iterator>

namespace sandbox::test {
namespace {

void append(std::vector<Decoder>& to, std::vector<Decoder> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<Decoder> all_decoders() {
  std::vector<Decoder> all = template_decoders();
  append(all, {tar_import()});
#ifndef SANDBOX_FUZZ_TEMPLATES  // The smaller of the two programs for libFuzzer.
  append(all, message_decoders());
#endif
  return all;
}

}  // namespace

const std::vector<Decoder>& decoders() {
  static const std::vector<Decoder> all = all_decoders();
  return all;
}

}  // namespace sandbox::test
