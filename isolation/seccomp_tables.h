#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "sandbox/options.h"

/// The system call policy as data: which call, which verdict, why. Read by compile_filters.cc at
/// build time; nothing of this is linked into the product.
namespace sandbox {

/// What becomes of a system call that a payload makes.
enum class Verdict {
  Allow,
  ByArgument,      ///< The first of argument_rules() that holds decides.
  Eperm,           ///< Known and forbidden: programs report it and do not probe for alternatives.
  Enosys,          ///< As on an older kernel: glibc, libuv and others fall back on this errno only.
  InitOnly,        ///< EPERM for the payload, but init makes this call to start a command.
  InitOnlyEnosys,  ///< The same with ENOSYS.
};

/// System calls that share a verdict per profile, and the reason for it.
struct SyscallRow {
  Verdict in_default;
  Verdict in_strict;
  Verdict in_dev;
  std::string_view reason;
  std::string_view calls;  ///< Kernel names separated by single blanks.

  constexpr Verdict in(Profile profile) const {
    if (profile == Profile::Strict) return in_strict;
    return profile == Profile::Dev ? in_dev : in_default;
  }
};

/// A test of one argument. All but NotNull look at the low 32 bits only, as the kernel does for
/// an int: a comparison of all 64 is evaded by setting a high bit (CVE-2019-10063).
enum class Test {
  Always,
  Equals,     ///< Is one of the values.
  HasAnyBit,  ///< Has at least one bit of the only value.
  AtLeast,    ///< Is the only value or more, unsigned.
  NotNull,    ///< Is a pointer other than NULL; all 64 bits.
};

/// A few 32-bit values, for constexpr tables.
class Values {
 public:
  constexpr Values() = default;
  constexpr Values(std::initializer_list<std::uint32_t> values) : size_(values.size()) {
    std::size_t i = 0;
    for (const std::uint32_t value : values) values_.at(i++) = value;
  }
  constexpr std::size_t size() const { return size_; }
  constexpr const std::uint32_t* begin() const { return values_.data(); }
  constexpr const std::uint32_t* end() const { return values_.data() + size_; }

 private:
  std::array<std::uint32_t, 6> values_{};
  std::size_t size_ = 0;
};

struct Condition {
  unsigned argument = 0;  ///< 0 is the first argument of the call.
  Test test = Test::Always;
  Values values;
};

/// A set of profiles.
struct Profiles {
  bool in_default;
  bool in_strict;
  bool in_dev;

  constexpr bool contain(Profile profile) const {
    if (profile == Profile::Strict) return in_strict;
    return profile == Profile::Dev ? in_dev : in_default;
  }
};

/// When all conditions hold, `call` is allowed (errno_value 0) or fails with `errno_value`.
struct ArgumentRule {
  std::string_view call;
  Profiles profiles;
  int errno_value;
  std::string_view reason;
  std::array<Condition, 2> conditions;
};

/// All rows; a call is in one row at most. A call in none gets ENOSYS, like every call that a
/// future kernel brings.
std::span<const SyscallRow> syscall_rows();

/// For the calls with Verdict::ByArgument; the rules of one call stand together. The first that
/// holds decides, and a call for which none holds gets ENOSYS.
std::span<const ArgumentRule> argument_rules();

/// What init has to do to start a command and the command must not do. Where none holds, the
/// verdict of the other tables stays.
std::span<const ArgumentRule> payload_rules();

/// The number of a call that libseccomp 2.5.4 cannot resolve, if it is one of the table's.
std::optional<int> number_unknown_to_libseccomp(std::string_view call);

}  // namespace sandbox
