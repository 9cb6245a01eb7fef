// What of the host's network answers inside.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <string>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"

namespace sandbox::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Results = std::map<std::string, std::string>;

// Of this process alone: abstract names are shared by all that use a network namespace.
const std::string& abstract_name() {
  static const std::string name = "sandbox-attack-listener-" + std::to_string(::getpid());
  return name;
}

// Listens on the loopback interface of the host and on an abstract name.
class Listeners {
 public:
  Listeners()
      : tcp_(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
        local_(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(tcp_.get(), generic, size), "bind");
    check(::listen(tcp_.get(), 16), "listen");
    check(::getsockname(tcp_.get(), generic, &size), "getsockname");
    port_ = ntohs(address.sin_port);

    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    abstract_name().copy(name.sun_path + 1, sizeof(name.sun_path) - 1);
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + abstract_name().size());
    check(::bind(local_.get(), reinterpret_cast<sockaddr*>(&name), length), "bind",
          abstract_name());
    check(::listen(local_.get(), 16), "listen");
  }
  std::string port() const { return std::to_string(port_); }

 private:
  UniqueFd tcp_;
  UniqueFd local_;
  uint16_t port_ = 0;
};

// N-01
TEST(NetworkAttack, NothingOfTheHostAnswers) {
  AttackBox attack;
  const Listeners host;
  const CommandResult result = attack.probe({"network", host.port(), abstract_name()});
  const Results results = to_results(result.stdout_text);
  EXPECT_EQ(split_lines(result.stdout_text)[1], "interface lo up");
  int tried = 0;
  for (const auto& [attempt, answer] : results) {
    if (attempt.starts_with("interface") || attempt == "getifaddrs") continue;
    ++tried;
    // A datagram to nobody is sent without an error: its refusal comes later.
    if (!attempt.starts_with("udp")) {
      EXPECT_NE(answer, "ok") << attempt;
    }
  }
  EXPECT_EQ(tried, 8);
  EXPECT_EQ(results.at("tcp 169.254.169.254"), "ENETUNREACH");
}

TEST(NetworkAttack, HostAnswersWithoutANetworkNamespace) {
  const LeakCheck nothing_left;
  const Listeners host;
  const Results results = to_results(plain_probe({"network", host.port(), abstract_name()}).text);
  EXPECT_EQ(results.at("tcp 127.0.0.1"), "ok");
  EXPECT_EQ(results.at("abstract"), "ok");
}

// Landlock keeps abstract names apart even there, where the kernel has scopes.
TEST(NetworkAttack, HostNetworkStillHasNoAbstractNamesWithScopes) {
  AttackBox attack;
  const Listeners host;
  SandboxOptions options = AttackBox::options();
  options.network = Network::Host;
  const Sandbox box = attack.make(options);
  bool scopes = false;
  for (const IsolationLayer& layer : box.isolation()) {
    scopes = scopes || (layer.name == "landlock" && layer.effective == "on" &&
                        layer.note.find("without scopes") == std::string::npos);
  }
  const Results results =
      to_results(AttackBox::run_probe(box, {"network", host.port(), abstract_name()}).stdout_text);
  EXPECT_EQ(results.at("tcp 127.0.0.1"), "ok");
  EXPECT_EQ(results.at("abstract"), scopes ? "EPERM" : "ok");
}

}  // namespace
}  // namespace sandbox::test
