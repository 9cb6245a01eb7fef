#include "tests/support/bpf_evaluator.h"

#include <linux/filter.h>

#include <cstring>
#include <stdexcept>

namespace sandbox::test {
namespace {

std::uint32_t load_word(const seccomp_data& call, std::uint32_t offset) {
  if (offset % 4 != 0 || offset > sizeof(call) - 4) throw std::logic_error("load outside data");
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&call) + offset, sizeof(word));
  return word;
}

bool holds(const sock_filter& jump, std::uint32_t accumulator) {
  switch (BPF_OP(jump.code)) {
    case BPF_JEQ:
      return accumulator == jump.k;
    case BPF_JGT:
      return accumulator > jump.k;
    case BPF_JGE:
      return accumulator >= jump.k;
    case BPF_JSET:
      return (accumulator & jump.k) != 0;
    default:
      throw std::logic_error("unknown comparison");
  }
}

}  // namespace

std::uint32_t evaluate(std::span<const std::byte> filter, const seccomp_data& call) {
  if (filter.size() % sizeof(sock_filter) != 0) throw std::logic_error("torn instruction");
  const std::size_t length = filter.size() / sizeof(sock_filter);

  std::uint32_t accumulator = 0;
  // Jumps lead forward only, so this ends.
  for (std::uint64_t at = 0; at < length; ++at) {
    sock_filter i{};
    std::memcpy(&i, filter.data() + at * sizeof(i), sizeof(i));
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        accumulator = load_word(call, i.k);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        at += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_K:
        at += holds(i, accumulator) ? i.jt : i.jf;
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        throw std::logic_error("unknown instruction");
    }
  }
  throw std::logic_error("program ends without a return");
}

std::uint32_t evaluate_all(const std::vector<std::span<const std::byte>>& filters,
                           const seccomp_data& call) {
  std::uint32_t result = SECCOMP_RET_ALLOW;
  for (std::size_t i = filters.size(); i-- > 0;) {  // The kernel begins with the most recent.
    const std::uint32_t one = evaluate(filters[i], call);
    // Severity is the action as a signed number: KILL_PROCESS is the only negative one.
    const auto severity = [](std::uint32_t value) {
      return static_cast<std::int32_t>(value & SECCOMP_RET_ACTION_FULL);
    };
    if (severity(one) < severity(result)) result = one;
  }
  return result;
}

}  // namespace sandbox::test
