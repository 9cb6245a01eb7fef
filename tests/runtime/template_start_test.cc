// What a template starts when a sandbox is made of it, and when that is ready.
#include <gmock/gmock.h>

#include <cerrno>
#include <string>

#include "runtime/listening_port.h"
#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "sandbox/templates.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::Box;
using test::FailsWith;
using test::TempDir;
using ::testing::HasSubstr;

constexpr const char* kServer = R"(
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        print(self.headers['Host'], self.path, flush=True)
        self.send_response(int(sys.argv[2]) if Handler.asked > int(sys.argv[3]) else 503)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
)";

class TemplateStart : public ::testing::Test {
 protected:
  void SetUp() override { test::require_user_namespaces(); }

  // A template with these keys, and what they need in /opt.
  void build(const std::string& keys) {
    files_.write("server.py", kServer);
    files_.write("app.yaml",
                 "name: start\nsteps:\n  - copy: {from: server.py, to: /opt/server.py}\n" + keys);
    templates_.build(files_.path("app.yaml"));
  }

  static SandboxOptions options() { return {.template_name = "start"}; }

  static std::string hint_of_failure(int expected) {
    Runtime runtime;
    try {
      runtime.create(options());
    } catch (const Error& error) {
      EXPECT_EQ(error.code().value(), expected) << error.what();
      return error.hint();
    }
    ADD_FAILURE() << "it was created";
    return {};
  }

  static std::string output_of_start(const Box& box) {
    std::string output;
    Process process = box.commands().connect("start");
    process.stream([&](Stream, std::string_view chunk) { output += chunk; });
    return output;
  }

  Templates templates_;
  TempDir files_;
};

TEST_F(TemplateStart, CommandRunsAndItsOutputIsKept) {
  build("env: {WORD: hello}\nworkdir: /opt\nstart: echo $WORD from $PWD as $(id -un)\n");
  EXPECT_EQ(output_of_start(Box(options())), "hello from /opt as user\n");
  EXPECT_EQ(templates_.inspect("start").start, "echo $WORD from $PWD as $(id -un)");
}

TEST_F(TemplateStart, SandboxMayBeMadeWithoutIt) {
  build("start: sleep 60\n");
  SandboxOptions without = options();
  without.with_start = false;
  EXPECT_TRUE(Box(without).commands().list().empty());
}

TEST_F(TemplateStart, FileIsAwaited) {
  build("start: sleep 0.2; echo x >/tmp/ready; sleep 60\nready: {file: /tmp/ready}\n");
  EXPECT_EQ(Box(options()).files().read("/tmp/ready"), "x\n");
}

TEST_F(TemplateStart, CommandIsAwaited) {
  build("start: sleep 0.2; touch /tmp/ready; sleep 60\nready: test -e /tmp/ready\n");
  EXPECT_TRUE(Box(options()).files().exists("/tmp/ready"));
}

// Nothing connects: the server serves one connection and ends.
TEST_F(TemplateStart, PortIsAwaitedAndNotUsed) {
  build(
      "start: >-\n  python3 -c 'import socket; s=socket.create_server((\"127.0.0.1\", 8080));"
      " print(s.accept()[0].recv(9))'\nready: {port: 8080}\n");
  const Box box(options());
  EXPECT_EQ(box.out("python3 -c 'import socket;"
                    " socket.create_connection((\"localhost\", 8080)).send(b\"hello\")'"),
            "");
  EXPECT_EQ(output_of_start(box), "b'hello'\n");
}

TEST_F(TemplateStart, PortOfIpv6Counts) {
  build(
      "start: >-\n  python3 -c 'import socket, time; s=socket.create_server((\"::1\", 8080),"
      " family=socket.AF_INET6); time.sleep(60)'\nready: {port: 8080, timeout: 20s}\n");
  EXPECT_NO_THROW(Box{options()});
}

TEST_F(TemplateStart, UrlIsAwaitedUntilItsStatusIsGood) {
  build(
      "start: python3 /opt/server.py 8080 204 2\n"
      "ready: {url: \"http://localhost:8080/health?a=b\"}\n");
  const Box box(options());
  EXPECT_TRUE(test::becomes_true([&] {
    std::string output;
    box.commands().replay(box.commands().list().at(0).pid,
                          [&](Stream, std::string_view chunk) { output += chunk; });
    const std::string asked = "localhost:8080 /health?a=b\n";
    return output.find(asked) != output.rfind(asked);
  }));
}

TEST_F(TemplateStart, UrlOfBadStatusIsNotReady) {
  build(
      "start: python3 /opt/server.py 8080 404 0\n"
      "ready: {url: \"http://localhost:8080/\", timeout: 2s}\n");
  EXPECT_THAT(hint_of_failure(ETIMEDOUT), HasSubstr("status 404"));
}

TEST_F(TemplateStart, FailedCommandIsExplained) {
  build("start: echo no such database >&2; exit 3\nready: {port: 8080}\n");
  const std::string hint = hint_of_failure(ECANCELED);
  EXPECT_THAT(hint, HasSubstr("exited with 3"));
  EXPECT_THAT(hint, HasSubstr("no such database"));
}

TEST_F(TemplateStart, DeadlineIsExplained) {
  build("start: echo still loading; sleep 60\nready: {command: exit 7, timeout: 300ms}\n");
  const std::string hint = hint_of_failure(ETIMEDOUT);
  EXPECT_THAT(hint, HasSubstr("still loading"));
  EXPECT_THAT(hint, HasSubstr("exited with 7"));
}

TEST_F(TemplateStart, CheckThatHangsEndsWithTheDeadline) {
  build("ready: {command: sleep 60, timeout: 300ms}\n");
  EXPECT_THAT([] { Box{options()}; }, FailsWith(ETIMEDOUT));
}

TEST_F(TemplateStart, CommandThatLeavesADaemonIsAwaited) {
  build("start: (sleep 0.2; touch /tmp/ready; sleep 60) &\nready: {file: /tmp/ready}\n");
  EXPECT_NO_THROW(Box{options()});
}

// It belongs to nobody until it is ready, and ends with who wanted it.
TEST_F(TemplateStart, DetachedSandboxThatIsNotReadyIsNone) {
  build("start: sleep 60\nready: {file: /tmp/never, timeout: 100ms}\n");
  Runtime runtime;
  SandboxOptions detached = options();
  detached.lifetime = Lifetime::Detached;
  detached.name = "never-ready";
  EXPECT_THAT([&] { runtime.create(detached); }, FailsWith(ETIMEDOUT));
  EXPECT_THAT([&] { runtime.attach("never-ready"); }, FailsWith(ENOENT));
}

TEST_F(TemplateStart, DetachedSandboxRunsItsCommandOn) {
  build("start: echo up; sleep 60\nready: {timeout: 5s, command: \"true\"}\n");
  SandboxOptions detached = options();
  detached.lifetime = Lifetime::Detached;
  detached.name = "started";
  std::string id;
  {
    Runtime first;
    id = first.create(detached).id();
  }
  Runtime second;
  Sandbox box = second.attach("started");
  const std::vector<CommandInfo> commands = box.commands().list();
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].tag, "start");
  EXPECT_EQ(commands[0].state, CommandState::Running);
  box.destroy();
}

TEST_F(TemplateStart, TemplateAboveStartsWhatIsBelowUnlessItSaysOtherwise) {
  build("start: echo below\nready: {file: /tmp/never, timeout: 100ms}\n");
  files_.write("above.yaml", "name: above\nfrom: template:start\nstart: echo above\n");
  templates_.build(files_.path("above.yaml"));
  EXPECT_EQ(output_of_start(Box(SandboxOptions{.template_name = "above"})), "above\n");
  files_.write("above.yaml", "name: above\nfrom: template:start\n");
  EXPECT_EQ(templates_.build(files_.path("above.yaml")).start, "echo below");
}

TEST(ListeningPort, OnlyListenersCount) {
  constexpr const char* kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n"
      "   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000\n"
      "   2: 00000000000000000000000001000000:0050 0000:0000 0A 0\n";
  EXPECT_TRUE(has_listener(kTable, 8080));
  EXPECT_FALSE(has_listener(kTable, 8081));
  EXPECT_TRUE(has_listener(kTable, 80));
  EXPECT_FALSE(has_listener("", 80));
}

}  // namespace
}  // namespace sandbox
