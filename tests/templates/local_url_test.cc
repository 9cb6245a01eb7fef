#include "templates/local_url.h"

#include <gtest/gtest.h>

#include <string>

namespace sandbox {
namespace {

TEST(LocalUrl, PartsAreThoseOfTheRequest) {
  const auto url = parse_local_url("http://localhost:8080/health?deep=1#part");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "localhost:8080");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->path, "/health?deep=1");
}

TEST(LocalUrl, PortAndPathMayBeMissing) {
  EXPECT_EQ(parse_local_url("http://127.0.0.1")->port, 80);
  EXPECT_EQ(parse_local_url("http://[::1]:81")->port, 81);
  EXPECT_EQ(parse_local_url("http://[::1]:81")->path, "/");
  EXPECT_EQ(parse_local_url("http://localhost?a")->path, "/?a");
}

TEST(LocalUrl, EverythingElseIsNone) {
  for (const char* const url :
       {"", "localhost:80", "https://localhost/", "http://example.org/", "http://localhost:0/",
        "http://localhost:65536/", "http://localhost:8o/", "http://localhost:/",
        "http://localhost.example.org/", "http://user@localhost/", "http://localhost/a b",
        "http://localhost/\r\nX: y", "http://[::1/", "http://localhost/\xff"}) {
    EXPECT_FALSE(parse_local_url(url)) << url;
  }
}

}  // namespace
}  // namespace sandbox
