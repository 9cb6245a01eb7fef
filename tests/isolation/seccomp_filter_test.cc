#include "isolation/seccomp_filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "tests/support/bpf_evaluator.h"

#ifdef __x86_64__

namespace sandbox {
namespace {

using test::evaluate;
using test::evaluate_all;

enum Golden { Allow, Filter, Eperm, Enosys, InitOnly };

struct GoldenCall {
  const char* name;
  int number;
  Golden in_default;
  Golden in_strict;
  Golden in_dev;
};

constexpr GoldenCall kGolden[] = {
#include "golden_syscalls_x86_64.inc"
};

constexpr int kAllowed = 0;

using Arguments = std::array<std::uint64_t, 6>;

std::uint32_t low(std::uint64_t argument) { return static_cast<std::uint32_t>(argument); }

bool one_of(std::uint32_t value, std::initializer_list<std::uint32_t> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The argument rules once more, as code: what a payload gets, or kAllowed.
int expected_for_socket(Profile profile, const Arguments& a) {
  const std::uint32_t family = low(a[0]);
  const std::uint32_t protocol = low(a[2]);
  if (family == 1) return kAllowed;
  if (profile == Profile::Strict) return EAFNOSUPPORT;
  if (family == 2 || family == 10)
    return one_of(protocol, {0, 1, 6, 17, 58}) ? kAllowed : EPROTONOSUPPORT;
  if (family == 16) return protocol == 0 ? kAllowed : EPROTONOSUPPORT;
  return EAFNOSUPPORT;
}

int expected_for_setsockopt(const Arguments& a) {
  const std::uint32_t level = low(a[1]);
  const std::uint32_t option = low(a[2]);
  const bool denied = (level == 6 && option == 31) || (level == 17 && option == 100) ||
                      (level == 0 && option >= 64) || (level == 41 && one_of(option, {64, 65}));
  return denied ? ENOPROTOOPT : kAllowed;
}

int expected_by_argument(Profile profile, const std::string& call, const Arguments& a) {
  if (call == "clone") return (a[0] & 0x7E020000) == 0 ? kAllowed : EPERM;
  if (call == "socket") return expected_for_socket(profile, a);
  if (call == "socketpair") return low(a[0]) == 1 ? kAllowed : EAFNOSUPPORT;
  if (call == "sendto" || call == "sendmmsg") return (a[3] & 1) == 0 ? kAllowed : EOPNOTSUPP;
  if (call == "sendmsg") return (a[2] & 1) == 0 ? kAllowed : EOPNOTSUPP;
  if (call == "setsockopt") return expected_for_setsockopt(a);
  if (call == "ioctl")
    return one_of(low(a[1]), {0x5412, 0x541C, 0x541D, 0x5423}) ? EPERM : kAllowed;
  if (call == "seccomp") return (a[1] & 8) == 0 ? kAllowed : EPERM;
  if (call == "setrlimit") return low(a[0]) == 10 ? EPERM : kAllowed;
  if (call == "prlimit64")
    return (low(a[1]) == 10 || low(a[0]) == 1) && a[2] != 0 ? EPERM : kAllowed;
  if (call.starts_with("sched_set")) return low(a[0]) == 1 ? EPERM : kAllowed;
  if (call == "setpriority")
    return low(a[0]) == 2 || (low(a[0]) == 0 && low(a[1]) == 1) ? EPERM : kAllowed;
  if (call == "ioprio_set")
    return low(a[0]) == 3 || (low(a[0]) == 1 && low(a[1]) == 1) ? EPERM : kAllowed;
  if (call == "personality") {
    if (one_of(low(a[0]), {0, 0x20000, 0xffffffff})) return kAllowed;
    return profile == Profile::Dev && one_of(low(a[0]), {0x40000, 0x60000}) ? kAllowed : EPERM;
  }
  ADD_FAILURE() << call << " has no rule here";
  return EPERM;
}

const GoldenCall* golden_call(int number) {
  const auto* found = std::find_if(std::begin(kGolden), std::end(kGolden),
                                   [&](const GoldenCall& call) { return call.number == number; });
  return found == std::end(kGolden) ? nullptr : found;
}

std::optional<int> number_of(const std::string& name) {
  const auto* found = std::find_if(std::begin(kGolden), std::end(kGolden),
                                   [&](const GoldenCall& call) { return call.name == name; });
  return found == std::end(kGolden) ? std::nullopt : std::optional<int>(found->number);
}

Golden verdict(const GoldenCall& call, Profile profile) {
  if (profile == Profile::Strict) return call.in_strict;
  return profile == Profile::Dev ? call.in_dev : call.in_default;
}

/// What the payload should get for this call: an errno or kAllowed.
int expected(Profile profile, int number, const Arguments& arguments) {
  const GoldenCall* call = golden_call(number);
  if (call == nullptr) return ENOSYS;
  switch (verdict(*call, profile)) {
    case Allow:
      return kAllowed;
    case Filter:
      return expected_by_argument(profile, call->name, arguments);
    case Enosys:
      return ENOSYS;
    case Eperm:
    case InitOnly:
      break;
  }
  return EPERM;
}

seccomp_data call_of(int number, const Arguments& arguments) {
  seccomp_data data{};
  data.nr = number;
  data.arch = AUDIT_ARCH_X86_64;
  std::copy(arguments.begin(), arguments.end(), std::begin(data.args));
  return data;
}

int errno_of(std::uint32_t result) {
  if (result == SECCOMP_RET_ALLOW) return kAllowed;
  if ((result & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO) return -1;
  return static_cast<int>(result & SECCOMP_RET_DATA);
}

/// What the payload gets.
int actual(Profile profile, int number, const Arguments& arguments) {
  const SeccompFilter& filter = seccomp_filter(profile);
  return errno_of(evaluate_all({filter.allow, filter.deny}, call_of(number, arguments)));
}

/// What init, which carries the first filter only, gets.
int actual_for_init(Profile profile, int number, const Arguments& arguments) {
  return errno_of(evaluate(seccomp_filter(profile).allow, call_of(number, arguments)));
}

class SeccompFilterOf : public ::testing::TestWithParam<Profile> {};

std::string name_of(const ::testing::TestParamInfo<Profile>& tested) {
  if (tested.param == Profile::Strict) return "Strict";
  return tested.param == Profile::Dev ? "Dev" : "Default";
}

INSTANTIATE_TEST_SUITE_P(, SeccompFilterOf,
                         ::testing::Values(Profile::Default, Profile::Strict, Profile::Dev),
                         name_of);

TEST_P(SeccompFilterOf, EveryNumberHasItsVerdict) {
  for (int number = 0; number <= 600; ++number) {
    const GoldenCall* call = golden_call(number);
    EXPECT_EQ(actual(GetParam(), number, {}), expected(GetParam(), number, {}))
        << number << ' ' << (call == nullptr ? "unknown" : call->name);
  }
}

TEST_P(SeccompFilterOf, UnknownNumbersAreEnosys) {
  for (const int number : {337, 423, 470, 601, 4096, 0x3fffffff}) {
    EXPECT_EQ(actual(GetParam(), number, {}), ENOSYS) << number;
  }
}

TEST_P(SeccompFilterOf, ForeignArchitecturesKillTheProcess) {
  // AUDIT_ARCH_I386, AARCH64 and ARM, and none at all.
  const SeccompFilter& filter = seccomp_filter(GetParam());
  for (const std::uint32_t arch : {0x40000003U, 0xC00000B7U, 0x40000028U, 0U}) {
    for (int number = 0; number <= 600; ++number) {
      seccomp_data call = call_of(number, {});
      call.arch = arch;
      ASSERT_EQ(evaluate(filter.allow, call), SECCOMP_RET_KILL_PROCESS) << arch << ' ' << number;
      ASSERT_EQ(evaluate(filter.deny, call), SECCOMP_RET_KILL_PROCESS) << arch << ' ' << number;
    }
  }
}

TEST_P(SeccompFilterOf, X32CallsKillTheProcess) {
  const SeccompFilter& filter = seccomp_filter(GetParam());
  for (int number = 0; number <= 600; ++number) {
    const seccomp_data call = call_of(0x40000000 | number, {});
    ASSERT_EQ(evaluate(filter.allow, call), SECCOMP_RET_KILL_PROCESS) << number;
    ASSERT_EQ(evaluate(filter.deny, call), SECCOMP_RET_KILL_PROCESS) << number;
  }
  EXPECT_EQ(evaluate(filter.allow, call_of(-2, {})), SECCOMP_RET_KILL_PROCESS);
}

TEST_P(SeccompFilterOf, NumberMinusOneOfATracerIsNotKilled) {
  EXPECT_EQ(actual(GetParam(), -1, {}), ENOSYS);
}

TEST_P(SeccompFilterOf, ArgumentRulesHoldAtTheirEdges) {
  // Every constant of a rule, its neighbours, and single bits; each in the lower half alone, and
  // with noise in the upper half that a filter must not be misled by (CVE-2019-10063).
  std::vector<std::uint64_t> values;
  for (const std::uint64_t value :
       {0ULL,      1ULL,       2ULL,       6ULL,       8ULL,          10ULL,        16ULL,
        17ULL,     31ULL,      38ULL,      40ULL,      41ULL,         58ULL,        64ULL,
        65ULL,     100ULL,     132ULL,     262ULL,     0x5412ULL,     0x541CULL,    0x541DULL,
        0x5423ULL, 0x20000ULL, 0x40000ULL, 0x60000ULL, 0x7E020000ULL, 0xffffffffULL}) {
    values.insert(values.end(), {value - 1, value, value + 1});
  }
  const std::vector<std::uint64_t> edges = values;
  for (unsigned bit = 0; bit < 64; ++bit) values.push_back(1ULL << bit);
  const std::size_t plain = values.size();
  for (std::size_t i = 0; i < plain; ++i) {
    values.push_back(values[i] | 0x100000000ULL);
    values.push_back(values[i] | 0xffffffff00000000ULL);
  }

  for (const GoldenCall& call : kGolden) {
    if (verdict(call, GetParam()) != Filter) continue;
    for (unsigned first = 0; first < 4; ++first) {
      for (const std::uint64_t a : values) {
        Arguments arguments{};
        arguments.at(first) = a;
        ASSERT_EQ(actual(GetParam(), call.number, arguments),
                  expected(GetParam(), call.number, arguments))
            << call.name << " argument " << first << " = " << std::hex << a;
        for (const std::uint64_t b : edges) {
          arguments.at(first + 1) = arguments.at(first + 2) = b;
          ASSERT_EQ(actual(GetParam(), call.number, arguments),
                    expected(GetParam(), call.number, arguments))
              << call.name << " arguments from " << first << std::hex << ": " << a << ", " << b;
        }
      }
    }
  }
}

TEST_P(SeccompFilterOf, RandomCallsGetTheVerdictOfTheOracle) {
  std::mt19937_64 random(20260101);  // NOLINT(cert-msc51-cpp): the same calls in every run.
  for (int round = 0; round < 200'000; ++round) {
    const int number = static_cast<int>(random() % 480);
    Arguments arguments{};
    for (std::uint64_t& argument : arguments) {
      argument = random() >> (random() % 64);
      if (random() % 2 == 0) argument &= 0x7f;
    }
    ASSERT_EQ(actual(GetParam(), number, arguments), expected(GetParam(), number, arguments))
        << number << std::hex << ' ' << arguments[0] << ' ' << arguments[1] << ' ' << arguments[2]
        << ' ' << arguments[3];
  }
}

TEST_P(SeccompFilterOf, SizeIsWholeInstructionsAndInstallable) {
  for (const auto filter : {seccomp_filter(GetParam()).allow, seccomp_filter(GetParam()).deny}) {
    EXPECT_EQ(filter.size() % sizeof(sock_filter), 0U);
    EXPECT_GT(filter.size(), 0U);
    EXPECT_LE(filter.size() / sizeof(sock_filter), static_cast<std::size_t>(BPF_MAXINSNS));
  }
}

TEST_P(SeccompFilterOf, InitMayStillMarkCommandsAndChangeIds) {
  constexpr std::uint64_t kLocks = 10;
  constexpr std::uint64_t kPointer = 0x7fff00001000;
  const int prlimit64 = *number_of("prlimit64");
  EXPECT_EQ(actual_for_init(GetParam(), prlimit64, {0, kLocks, kPointer}), kAllowed);
  EXPECT_EQ(actual(GetParam(), prlimit64, {0, kLocks, kPointer}), EPERM);
  EXPECT_EQ(actual(GetParam(), prlimit64, {0, kLocks, 0, kPointer}), kAllowed);
  for (const char* call : {"setgroups", "setresgid", "setresuid", "capset", "fchown"}) {
    EXPECT_EQ(actual_for_init(GetParam(), *number_of(call), {}), kAllowed) << call;
  }
}

TEST_P(SeccompFilterOf, MarkWithAPointerAboveFourGiBIsSeen) {
  // A new limit whose address has a lower half of zero is not NULL.
  EXPECT_EQ(actual(GetParam(), *number_of("prlimit64"), {0, 10, 0x700000000000}), EPERM);
}

int count_reachable(Profile profile) {
  return static_cast<int>(
      std::count_if(std::begin(kGolden), std::end(kGolden), [&](const GoldenCall& call) {
        return verdict(call, profile) == Allow || verdict(call, profile) == Filter;
      }));
}

TEST(SeccompFilter, ReachableCallsAreAsManyAsPublished) {
  EXPECT_EQ(count_reachable(Profile::Default), 285);
  EXPECT_EQ(count_reachable(Profile::Strict), 202);
  EXPECT_EQ(count_reachable(Profile::Dev), 289);
}

TEST(SeccompFilter, QuicCanSetTheTrafficClass) {
  constexpr std::uint64_t kIpv6 = 41;
  constexpr std::uint64_t kTrafficClass = 67;
  const int setsockopt = *number_of("setsockopt");
  EXPECT_EQ(actual(Profile::Default, setsockopt, {3, kIpv6, kTrafficClass}), kAllowed);
  EXPECT_EQ(actual(Profile::Default, setsockopt, {3, kIpv6, 64}), ENOPROTOOPT);
}

}  // namespace
}  // namespace sandbox

#endif
