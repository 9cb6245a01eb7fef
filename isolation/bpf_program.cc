#include "isolation/bpf_program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

static_assert(std::endian::native == std::endian::little, "The low half of an argument is first.");

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "Name this architecture's AUDIT_ARCH_*, and look where clone(2) has its flags."
#endif

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

sock_filter load_low_half(unsigned argument) {
  return load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
}

sock_filter load_high_half(unsigned argument) {
  return load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) +
              sizeof(std::uint32_t));
}

std::uint8_t short_jump(std::size_t distance) {
  if (distance > std::numeric_limits<std::uint8_t>::max()) throw Error(EFBIG, "short_jump", "");
  return static_cast<std::uint8_t>(distance);
}

// The comparison `operation` (BPF_JEQ, BPF_JGE, BPF_JSET) of the loaded word with `value`.
sock_filter jump(unsigned operation, std::uint32_t value, std::size_t if_true,
                 std::size_t if_false) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | operation | BPF_K), value,
                  short_jump(if_true), short_jump(if_false));
}

void append(Program& program, const Program& part) {
  program.insert(program.end(), part.begin(), part.end());
}

// Comparisons that go on behind themselves when the condition holds, and skip `skip` more
// instructions when it does not.
Program comparisons(const Condition& condition, std::size_t skip) {
  Program program = {load_low_half(condition.argument)};
  switch (condition.test) {
    case Test::Always:
      return {};
    case Test::Equals:
      for (std::size_t left = condition.values.size(); const std::uint32_t value : condition.values)
        program.push_back(--left > 0 ? jump(BPF_JEQ, value, left, 0)
                                     : jump(BPF_JEQ, value, 0, skip));
      break;
    case Test::HasAnyBit:
      program.push_back(jump(BPF_JSET, *condition.values.begin(), 0, skip));
      break;
    case Test::AtLeast:
      program.push_back(jump(BPF_JGE, *condition.values.begin(), 0, skip));
      break;
    case Test::NotNull:
      program.push_back(jump(BPF_JEQ, 0, 0, 2));
      program.push_back(load_high_half(condition.argument));
      program.push_back(jump(BPF_JEQ, 0, skip, 0));
      break;
  }
  return program;
}

// The loaded word is the number; the right range is one of `ranges`.
Program bisect(std::span<const CallRange> ranges) {
  if (ranges.size() == 1) return ranges.front().program;
  const std::size_t middle = ranges.size() / 2;
  const Program below = bisect(ranges.first(middle));
  const std::uint32_t first = ranges[middle].first;
  Program program;
  if (below.size() <= std::numeric_limits<std::uint8_t>::max()) {
    program.push_back(jump(BPF_JGE, first, below.size(), 0));
  } else {
    program.push_back(jump(BPF_JGE, first, 0, 1));
    program.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size())));
  }
  append(program, below);
  append(program, bisect(ranges.subspan(middle)));
  return program;
}

}  // namespace

Program ret(std::uint32_t action) { return {BPF_STMT(BPF_RET | BPF_K, action)}; }

Program when(std::span<const Condition> conditions, const Program& then, const Program& otherwise) {
  Program program = then;
  for (std::size_t i = conditions.size(); i-- > 0;) {
    Program longer = comparisons(conditions[i], program.size());
    append(longer, program);
    program = std::move(longer);
  }
  if (program.size() > then.size()) append(program, otherwise);  // Or nothing ever goes there.
  return program;
}

Program dispatch(const std::vector<CallRange>& ranges) {
  Program program = {
      load(offsetof(seccomp_data, arch)),
      jump(BPF_JEQ, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
  };
#ifdef __x86_64__
  // x32 has our architecture and bit 30 of the number. -1 is how a tracer skips a call: seccomp(2).
  constexpr std::uint32_t kX32Bit = 0x40000000;
  program.push_back(jump(BPF_JGE, kX32Bit, 0, 2));
  program.push_back(jump(BPF_JEQ, std::numeric_limits<std::uint32_t>::max(), 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
#endif
  append(program, bisect(ranges));
  return program;
}

}  // namespace sandbox
