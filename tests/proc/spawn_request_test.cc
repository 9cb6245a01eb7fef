#include "proc/spawn_request.h"

#include <gmock/gmock.h>

#include <array>
#include <cerrno>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::ElementsAre;
using ::testing::SizeIs;

SpawnRequest example() {
  SpawnRequest request;
  request.argv = {"python3", "-c", "print('a b')", ""};
  request.env = {"PATH=/usr/bin", "EMPTY="};
  request.programs = {"/usr/local/bin/python3", "/usr/bin/python3"};
  request.cwd = "/home/user";
  request.uid = 1000;
  request.gid = 1001;
  request.groups = {4, 24, 65534};
  request.timeout_ms = uint64_t{1} << 40;
  request.has_stdin = true;
  return request;
}

std::vector<std::byte> encoded(const SpawnRequest& request) {
  auto [ours, theirs] = MessageSocket::pair();
  request.send(ours, {});
  return theirs.receive()->payload;
}

TEST(SpawnRequest, EveryFieldComesBack) {
  const SpawnRequest request = SpawnRequest::decode(encoded(example()));
  EXPECT_THAT(request.argv, ElementsAre("python3", "-c", "print('a b')", ""));
  EXPECT_THAT(request.env, ElementsAre("PATH=/usr/bin", "EMPTY="));
  EXPECT_THAT(request.programs, ElementsAre("/usr/local/bin/python3", "/usr/bin/python3"));
  EXPECT_EQ(request.cwd, "/home/user");
  EXPECT_EQ(request.uid, 1000U);
  EXPECT_EQ(request.gid, 1001U);
  EXPECT_THAT(request.groups, ElementsAre(4U, 24U, 65534U));
  EXPECT_EQ(request.timeout_ms, uint64_t{1} << 40);
  EXPECT_TRUE(request.has_stdin);
}

TEST(SpawnRequest, DescriptorsTravelWithIt) {
  auto [ours, theirs] = MessageSocket::pair();
  const std::array fds{ours.fd(), ours.fd(), ours.fd()};
  example().send(ours, fds);
  EXPECT_THAT(theirs.receive()->fds, SizeIs(3));
}

TEST(SpawnRequest, ThreeMegabytesOfArgumentsArrive) {
  SpawnRequest request = example();
  request.argv.assign(30, std::string(100'000, 'x'));
  EXPECT_TRUE(SpawnRequest::decode(encoded(request)).argv == request.argv);
}

TEST(SpawnRequest, CutAtAnyByteIsRefused) {
  const std::vector<std::byte> whole = encoded(example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::span<const std::byte> cut(whole.data(), size);
    EXPECT_THAT([&] { SpawnRequest::decode(cut); }, FailsWith(EBADMSG)) << size;
  }
}

TEST(SpawnRequest, ByteTooManyIsRefused) {
  std::vector<std::byte> longer = encoded(example());
  longer.push_back(std::byte{0});
  EXPECT_THAT([&] { SpawnRequest::decode(longer); }, FailsWith(EBADMSG));
}

}  // namespace
}  // namespace sandbox
