#include "tests/support/bpf_evaluator.h"

#include <gtest/gtest.h>
#include <linux/filter.h>

#include <stdexcept>

namespace sandbox::test {
namespace {

using Program = std::vector<sock_filter>;

std::span<const std::byte> bytes(const Program& program) {
  return std::as_bytes(std::span(program));
}

Program returning(std::uint32_t value) { return {BPF_STMT(BPF_RET | BPF_K, value)}; }

seccomp_data call_of(int number) {
  seccomp_data data{};
  data.nr = number;
  return data;
}

TEST(BpfEvaluator, ComparesTheLoadedWord) {
  const Program program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)};
  EXPECT_EQ(evaluate(bytes(program), call_of(7)), SECCOMP_RET_ALLOW);
  EXPECT_EQ(evaluate(bytes(program), call_of(8)), SECCOMP_RET_TRAP);
}

TEST(BpfEvaluator, MostSevereActionWins) {
  const Program kill = returning(SECCOMP_RET_KILL_PROCESS);
  const Program thread = returning(SECCOMP_RET_KILL_THREAD);
  const Program fail = returning(SECCOMP_RET_ERRNO | 5);
  const Program allow = returning(SECCOMP_RET_ALLOW);
  EXPECT_EQ(evaluate_all({bytes(kill), bytes(thread), bytes(fail)}, {}), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(evaluate_all({bytes(allow), bytes(thread), bytes(fail)}, {}), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(evaluate_all({bytes(fail), bytes(allow)}, {}), SECCOMP_RET_ERRNO | 5);
}

TEST(BpfEvaluator, MostRecentErrnoWins) {
  const Program first = returning(SECCOMP_RET_ERRNO | 1);
  const Program second = returning(SECCOMP_RET_ERRNO | 38);
  EXPECT_EQ(evaluate_all({bytes(first), bytes(second)}, {}), SECCOMP_RET_ERRNO | 38);
}

TEST(BpfEvaluator, RefusesWhatTheKernelRefuses) {
  EXPECT_THROW(evaluate(bytes({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64)}), {}), std::logic_error);
  EXPECT_THROW(evaluate(bytes({BPF_STMT(BPF_JMP | BPF_JA, 9)}), {}), std::logic_error);
  EXPECT_THROW(evaluate(bytes({BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)}), {}), std::logic_error);
}

}  // namespace
}  // namespace sandbox::test
