#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/runtime/box.h"

namespace sandbox {
namespace {

using test::Box;

// Listens on the host's loopback, on a port that the kernel chooses.
class HostListener {
 public:
  HostListener() : socket_(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    check(::bind(socket_.get(), generic, size), "bind");
    check(::listen(socket_.get(), 1), "listen");
    check(::getsockname(socket_.get(), generic, &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }
  std::string connect_script() const {
    return "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port_) + " && echo connected";
  }

 private:
  UniqueFd socket_;
  int port_ = 0;
};

std::string said_by_bash(const Box& box, const std::string& script) {
  return Commands(box.commands()).run(Command{.argv = {"/bin/bash", "-c", script}}).stdout_text;
}

// A server and a client inside, in one process.
constexpr const char* kTalkToOneself = R"(
use IO::Socket::INET;
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $@;
my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport) or die $@;
print $client "hello\n";
$client->flush;
my $peer = $server->accept;
print scalar <$peer>;
)";

TEST(Network, NoneHasTheLoopbackOnly) {
  const Box box;
  EXPECT_EQ(box.out("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo\n");
}

TEST(Network, LoopbackInsideWorks) {
  const Box box;
  box.files().write("/home/user/talk.pl", kTalkToOneself);
  EXPECT_EQ(box.out("perl talk.pl"), "hello\n");
}

TEST(Network, LoopbackOfTheHostIsOutOfReach) {
  const HostListener listener;
  EXPECT_EQ(said_by_bash(Box(), listener.connect_script()), "");
}

TEST(Network, HostReachesTheLoopbackOfTheHost) {
  const HostListener listener;
  const Box box(SandboxOptions{.network = Network::Host});
  EXPECT_EQ(said_by_bash(box, listener.connect_script()), "connected\n");
}

TEST(Network, LocalhostHasAnAddress) {
  const Box box;
  EXPECT_THAT(box.out("getent hosts localhost"), ::testing::HasSubstr("localhost"));
}

}  // namespace
}  // namespace sandbox
