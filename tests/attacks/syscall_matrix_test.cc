// Every system call number, made for real in each profile, against the golden table of
// tests/isolation.
#include <gmock/gmock.h>
#include <unistd.h>

#include <map>
#include <string>

#include "tests/attacks/attack_box.h"
#include "tests/support/in_child.h"

#ifdef __x86_64__

namespace sandbox::test {
namespace {

enum Golden { Allow, Filter, Eperm, Enosys, InitOnly };

struct GoldenCall {
  const char* name;
  int number;
  Golden in_default;
  Golden in_strict;
  Golden in_dev;
};

constexpr GoldenCall kGolden[] = {
#include "tests/isolation/golden_syscalls_x86_64.inc"
};

constexpr int kLastCall = 600;
using Results = std::map<std::string, std::string>;

Golden verdict(Profile profile, int number, std::string& name) {
  for (const GoldenCall& call : kGolden) {
    if (call.number != number) continue;
    name = call.name;
    if (profile == Profile::Strict) return call.in_strict;
    return profile == Profile::Dev ? call.in_dev : call.in_default;
  }
  return Enosys;
}

// The same calls with no filter, as nobody: some fail with EPERM or ENOSYS by themselves.
const Results& without_filter() {
  static const Results results = [] {
    const std::string program = probe_directory() + "/probe";
    const ChildEnd end = in_child([&] {
      if (::geteuid() == 0) {
        constexpr id_t kNobody = 65534;
        if (::setresgid(kNobody, kNobody, kNobody) != 0) return std::string();
        if (::setresuid(kNobody, kNobody, kNobody) != 0) return std::string();
      }
      return run_plain({program, "calls"}).text;
    });
    return to_results(end.text);
  }();
  return results;
}

class SyscallMatrix : public ::testing::TestWithParam<Profile> {};

std::string name_of(const ::testing::TestParamInfo<Profile>& tested) {
  if (tested.param == Profile::Strict) return "Strict";
  return tested.param == Profile::Dev ? "Dev" : "Default";
}

INSTANTIATE_TEST_SUITE_P(, SyscallMatrix,
                         ::testing::Values(Profile::Default, Profile::Strict, Profile::Dev),
                         name_of);

TEST_P(SyscallMatrix, EveryCallGetsItsVerdict) {
  AttackBox attack;
  SandboxOptions options = AttackBox::options();
  options.profile = GetParam();
  const Sandbox box = attack.make(options);
  Command calls = probe_command({"calls"});
  const Results results = to_results(box.commands().run(calls).stdout_text);
  ASSERT_EQ(results.size(), static_cast<std::size_t>(kLastCall + 1));
  for (int number = 0; number <= kLastCall; ++number) {
    const std::string key = std::to_string(number);
    const std::string& result = results.at(key);
    std::string name = "unknown";
    switch (verdict(GetParam(), number, name)) {
      case Enosys:
        EXPECT_EQ(result, "ENOSYS") << key << ' ' << name;
        break;
      case Eperm:
      case InitOnly:
        EXPECT_EQ(result, "EPERM") << key << ' ' << name;
        break;
      case Filter:
        EXPECT_NE(result, "ENOSYS") << key << ' ' << name;
        break;
      case Allow:
        if (result == "EPERM" || result == "ENOSYS") {
          EXPECT_EQ(result, without_filter().at(key)) << key << ' ' << name;
        }
        break;
    }
  }
}

TEST(SyscallMatrixControl, CallsAreReachableWithoutFilter) {
  const LeakCheck nothing_left;
  const Results& results = without_filter();
  ASSERT_EQ(results.size(), static_cast<std::size_t>(kLastCall + 1));
  constexpr int kUnshare = 272;
  constexpr int kClone3 = 435;
  constexpr int kIoUringSetup = 425;
  for (const int number : {kUnshare, kClone3, kIoUringSetup}) {
    EXPECT_THAT(results.at(std::to_string(number)), ::testing::AnyOf("EINVAL", "EFAULT", "E2BIG"));
  }
}

}  // namespace
}  // namespace sandbox::test

#endif
