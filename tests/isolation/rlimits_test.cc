#include "isolation/rlimits.h"

#include <gtest/gtest.h>

#include <string>

#include "sandbox/error.h"
#include "tests/support/in_child.h"

namespace sandbox {
namespace {

using test::ChildEnd;
using test::in_child;

std::string limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  check(::getrlimit(resource, &limit), "getrlimit");
  return std::to_string(limit.rlim_cur) + '/' + std::to_string(limit.rlim_max);
}

TEST(Rlimits, AllDefaultsAreReachedOrAlreadyLower) {
  const ChildEnd end = in_child([] {
    apply_rlimits();
    for (const ResourceLimit& limit : default_rlimits()) {
      rlimit now{};
      check(::getrlimit(limit.resource, &now), "getrlimit");
      EXPECT_LE(now.rlim_cur, limit.soft) << limit.name;
      EXPECT_LE(now.rlim_max, limit.hard) << limit.name;
    }
    return limit_of(RLIMIT_NOFILE);
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  EXPECT_EQ(end.text, "1024/4096");
}

TEST(Rlimits, CoreLimitIsOneSoThatPipedHandlersDoNotRun) {
  const ChildEnd end = in_child([] {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CORE, &unlimited);
    apply_rlimits();
    return limit_of(RLIMIT_CORE);
  });
  EXPECT_EQ(end.text, "1/1") << end;
}

TEST(Rlimits, LowerInheritedHardLimitStays) {
  // Root could raise it, so this is about what we ask for.
  const ChildEnd end = in_child([] {
    const rlimit low{64, 100};
    check(::setrlimit(RLIMIT_NOFILE, &low), "setrlimit");
    apply_rlimits();
    return limit_of(RLIMIT_NOFILE);
  });
  EXPECT_EQ(end.text, "100/100") << end;
}

TEST(Rlimits, AddressSpaceAndFileSizeStayAsInherited) {
  const ChildEnd end = in_child([] {
    const std::string before = limit_of(RLIMIT_AS) + ' ' + limit_of(RLIMIT_FSIZE);
    apply_rlimits();
    EXPECT_EQ(limit_of(RLIMIT_AS) + ' ' + limit_of(RLIMIT_FSIZE), before);
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Rlimits, FileSizeIsLimitedOnRequest) {
  const ChildEnd end = in_child([] {
    apply_rlimit({RLIMIT_FSIZE, "RLIMIT_FSIZE", 4096, 4096, "asked for"});
    return limit_of(RLIMIT_FSIZE);
  });
  EXPECT_EQ(end.text, "4096/4096") << end;
}

}  // namespace
}  // namespace sandbox
