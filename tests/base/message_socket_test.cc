#include "runtime/base/message_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <tuple>

#include "tests/support/in_child.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::in_child;
using ::testing::SizeIs;

struct Connection {
  MessageSocket ours;
  MessageSocket theirs;
  Connection() { std::tie(ours, theirs) = MessageSocket::pair(); }
};

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  return bytes;
}

UniqueFd open_null() {
  return UniqueFd(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open", "/dev/null"));
}

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  check(::fstat(a, &first), "fstat");
  check(::fstat(b, &second), "fstat");
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1U : 0U;
  return count;
}

// What an adversary would send: bytes and descriptors of his choice, past send_message().
void send_raw(int socket, std::string_view bytes, const std::vector<int>& fds = {}) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(64 * sizeof(int))> control{};
  const std::size_t size = fds.size() * sizeof(int);
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), fds.data(), size);
  }
  check(::sendmsg(socket, &header, MSG_NOSIGNAL), "sendmsg");
}

constexpr std::string_view kMemfdKind("\x02", 1);

TEST(MessageSocket, PayloadArrivesUnchanged) {
  const Connection link;
  link.ours.send(pattern(1000));
  EXPECT_EQ(link.theirs.receive()->payload, pattern(1000));
}

TEST(MessageSocket, EmptyPayloadIsAMessageAndNotTheEnd) {
  const Connection link;
  link.ours.send({});
  const std::optional<Message> message = link.theirs.receive();
  ASSERT_TRUE(message.has_value());
  EXPECT_THAT(message->payload, SizeIs(0));
}

TEST(MessageSocket, BoundariesAreKept) {
  const Connection link;
  link.ours.send(pattern(3));
  link.ours.send(pattern(5));
  EXPECT_THAT(link.theirs.receive()->payload, SizeIs(3));
  EXPECT_THAT(link.theirs.receive()->payload, SizeIs(5));
}

TEST(MessageSocket, DescriptorsArriveInOrderAndCloseOnExec) {
  const Connection link;
  const UniqueFd null = open_null();
  const std::array fds{null.get(), link.ours.fd()};
  link.ours.send(pattern(1), fds);
  const std::optional<Message> message = link.theirs.receive();
  ASSERT_THAT(message->fds, SizeIs(2));
  EXPECT_TRUE(same_file(message->fds[0].get(), null.get()));
  EXPECT_TRUE(same_file(message->fds[1].get(), link.ours.fd()));
  for (const UniqueFd& fd : message->fds) EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(MessageSocket, EndsAreCloseOnExec) {
  const Connection link;
  EXPECT_EQ(::fcntl(link.ours.fd(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(link.theirs.fd(), F_GETFD), FD_CLOEXEC);
}

TEST(MessageSocket, MostDescriptorsFitBesideALargePayload) {
  const Connection link;
  const UniqueFd null = open_null();
  const std::vector<int> fds(kMaxMessageFds, null.get());
  link.ours.send(pattern(kInlineMessageBytes + 1), fds);
  EXPECT_THAT(link.theirs.receive()->fds, SizeIs(kMaxMessageFds));
}

TEST(MessageSocket, OneDescriptorMoreIsRefusedBeforeSending) {
  const Connection link;
  const std::vector<int> fds(kMaxMessageFds + 1, link.ours.fd());
  EXPECT_THAT([&] { link.ours.send({}, fds); }, FailsWith(EMSGSIZE));
}

TEST(MessageSocket, PayloadsAroundTheInlineLimitArriveUnchanged) {
  const Connection link;
  for (const std::size_t size :
       {kInlineMessageBytes - 1, kInlineMessageBytes, kInlineMessageBytes + 1}) {
    link.ours.send(pattern(size));
    EXPECT_EQ(link.theirs.receive()->payload, pattern(size)) << size;
  }
}

TEST(MessageSocket, LargestPayloadFitsWhateverTheSocketBuffer) {
  const Connection link;
  const std::vector<std::byte> payload = pattern(kLargestMessageBytes);
  link.ours.send(payload);
  EXPECT_TRUE(link.theirs.receive()->payload == payload);
}

TEST(MessageSocket, LargerPayloadIsRefusedBeforeSending) {
  const Connection link;
  const std::vector<std::byte> payload(kLargestMessageBytes + 1);
  EXPECT_THAT([&] { link.ours.send(payload); }, FailsWith(EMSGSIZE));
}

TEST(MessageSocket, NothingIsLeftOpenByALargePayload) {
  const Connection link;
  const std::size_t before = open_descriptors();
  link.ours.send(pattern(kInlineMessageBytes + 1));
  static_cast<void>(link.theirs.receive());
  EXPECT_EQ(open_descriptors(), before);
}

TEST(MessageSocket, UnsealedPayloadIsRefused) {
  const Connection link;
  const UniqueFd memfd{check(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd")};
  check(::write(memfd.get(), "text", 4), "write");
  send_raw(link.ours.fd(), kMemfdKind, {memfd.get()});
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
}

TEST(MessageSocket, PayloadThatIsNoMemfdIsRefused) {
  const Connection link;
  const UniqueFd null = open_null();
  send_raw(link.ours.fd(), kMemfdKind, {null.get()});
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
}

TEST(MessageSocket, LargePayloadWithoutItsMemfdIsRefused) {
  const Connection link;
  send_raw(link.ours.fd(), kMemfdKind);
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
}

TEST(MessageSocket, UnknownKindIsRefused) {
  const Connection link;
  send_raw(link.ours.fd(), "\x07 what is this");
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
}

TEST(MessageSocket, DatagramLongerThanAnyOfOursIsRefused) {
  const Connection link;
  send_raw(link.ours.fd(), std::string(kInlineMessageBytes + 100, '\x01'));
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
}

TEST(MessageSocket, RefusedMessageLeavesNoDescriptorOpen) {
  const Connection link;
  const UniqueFd null = open_null();
  const std::size_t before = open_descriptors();
  send_raw(link.ours.fd(), "\x07", {null.get(), null.get(), null.get()});
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EBADMSG));
  // More than the receiver has room for: the kernel closes the rest, MSG_CTRUNC.
  send_raw(link.ours.fd(), "\x01", std::vector<int>(60, null.get()));
  EXPECT_THAT([&] { link.theirs.receive(); }, FailsWith(EMFILE));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(MessageSocket, ClosedPeerIsTheEnd) {
  Connection link;
  link.ours = MessageSocket();
  EXPECT_FALSE(link.theirs.receive().has_value());
}

TEST(MessageSocket, PeerThatClosedWithoutReadingIsTheEndAsWell) {
  Connection link;
  link.theirs.send(pattern(1));
  link.ours = MessageSocket();
  EXPECT_FALSE(link.theirs.receive().has_value());
}

TEST(MessageSocket, MessagesBeforeTheEndArrive) {
  Connection link;
  link.ours.send(pattern(7));
  link.ours = MessageSocket();
  EXPECT_THAT(link.theirs.receive()->payload, SizeIs(7));
  EXPECT_FALSE(link.theirs.receive().has_value());
}

TEST(MessageSocket, SendingToAClosedPeerIsEpipeAndNoSignal) {
  const auto end = in_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    Connection link;
    link.theirs = MessageSocket();
    link.ours.send(pattern(1));
    return std::string("sent");
  });
  EXPECT_EQ(end.signal, 0);
  EXPECT_THAT(end.text, ::testing::HasSubstr(std::strerror(EPIPE)));
}

TEST(MessageSocket, SeveralThreadsMaySendAtOnce) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kMessages = 200;
  const Connection link;
  {
    std::vector<std::jthread> senders;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      senders.emplace_back([&link, thread] {
        const std::vector<std::byte> payload(1000 + thread, static_cast<std::byte>(thread));
        for (std::size_t i = 0; i < kMessages; ++i) link.ours.send(payload);
      });
    }
    for (std::size_t i = 0; i < kThreads * kMessages; ++i) {
      const std::vector<std::byte> payload = link.theirs.receive()->payload;
      const auto sender = static_cast<std::size_t>(payload.at(0));
      ASSERT_EQ(payload, std::vector<std::byte>(1000 + sender, payload.at(0)));
    }
  }
}

}  // namespace
}  // namespace sandbox
