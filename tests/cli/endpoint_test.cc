#include "runtime/sandboxctl/endpoint.h"

#include <gtest/gtest.h>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

using Kind = Endpoint::Kind;

TEST(Endpoint, SandboxAndPathAreParted) {
  const Endpoint side = parse_endpoint("web:/var/a:b");
  EXPECT_EQ(side.kind, Kind::Sandbox);
  EXPECT_EQ(side.sandbox, "web");
  EXPECT_EQ(side.path, "/var/a:b");
  EXPECT_EQ(side.text(), "web:/var/a:b");
}

TEST(Endpoint, PathInsideMayBeRelative) { EXPECT_EQ(parse_endpoint("web:notes").path, "notes"); }

TEST(Endpoint, MinusIsAStream) { EXPECT_EQ(parse_endpoint("-").kind, Kind::Stream); }

TEST(Endpoint, PathOfTheHostWithAColonTakesADirectoryInFront) {
  for (const char* path : {"./a:b", "/a:b", "dir/a:b", "../a:b", ".a:b", "plain", ":/a"}) {
    const Endpoint side = parse_endpoint(path);
    EXPECT_EQ(side.kind, Kind::Host) << path;
    EXPECT_EQ(side.path, path);
  }
}

TEST(Endpoint, EmptyPathsAreUsageErrors) {
  EXPECT_THROW(parse_endpoint(""), Failure);
  EXPECT_THROW(parse_endpoint("web:"), Failure);
}

}  // namespace
}  // namespace sandboxctl
