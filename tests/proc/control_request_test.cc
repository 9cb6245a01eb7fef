#include "proc/control_request.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::ElementsAre;

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
  request.terminal = TerminalSize{.cols = 132, .rows = 43};
  request.cpu_ms = 11;
  request.idle_ms = 12;
  request.output = {
      .output = Output::Kept, .max_bytes = uint64_t{1} << 41, .on_excess = OnExcess::KeepTail};
  request.tag = "job";
  return request;
}

std::vector<std::byte> encoded(const SpawnRequest& request) {
  return encode(ControlRequest(request));
}

SpawnRequest decoded(std::span<const std::byte> payload) {
  return std::get<SpawnRequest>(decode_control_request(payload));
}

TEST(ControlRequest, EveryFieldOfASpawnComesBack) {
  const SpawnRequest request = decoded(encoded(example()));
  EXPECT_THAT(request.argv, ElementsAre("python3", "-c", "print('a b')", ""));
  EXPECT_THAT(request.env, ElementsAre("PATH=/usr/bin", "EMPTY="));
  EXPECT_THAT(request.programs, ElementsAre("/usr/local/bin/python3", "/usr/bin/python3"));
  EXPECT_EQ(request.cwd, "/home/user");
  EXPECT_EQ(request.uid, 1000U);
  EXPECT_EQ(request.gid, 1001U);
  EXPECT_THAT(request.groups, ElementsAre(4U, 24U, 65534U));
  EXPECT_EQ(request.timeout_ms, uint64_t{1} << 40);
  EXPECT_TRUE(request.has_stdin);
  EXPECT_EQ(request.terminal->cols, 132U);
  EXPECT_EQ(request.terminal->rows, 43U);
  EXPECT_EQ(request.cpu_ms, 11U);
  EXPECT_EQ(request.idle_ms, 12U);
  EXPECT_EQ(request.output.output, Output::Kept);
  EXPECT_EQ(request.output.max_bytes, uint64_t{1} << 41);
  EXPECT_EQ(request.output.on_excess, OnExcess::KeepTail);
  EXPECT_EQ(request.tag, "job");
}

TEST(ControlRequest, WhoWantsWhichOutputComesBack) {
  const ConnectRequest request = std::get<ConnectRequest>(
      decode_control_request(encode(ControlRequest(ConnectRequest{.pid = 7,
                                                                  .tag = "job",
                                                                  .out_from = uint64_t{1} << 40,
                                                                  .err_from = 9,
                                                                  .follow = Follow::No}))));
  EXPECT_EQ(request.pid, 7);
  EXPECT_EQ(request.tag, "job");
  EXPECT_EQ(request.out_from, uint64_t{1} << 40);
  EXPECT_EQ(request.err_from, 9U);
  EXPECT_EQ(request.follow, Follow::No);
}

TEST(ControlReply, EveryFieldOfACommandComesBack) {
  CommandInfo info;
  info.pid = 7;
  info.argv = {"sh", "-c", ""};
  info.cwd = "/tmp";
  info.env_names = {"PATH", "K"};
  info.tag = "job";
  info.output = Output::Kept;
  info.in_terminal = true;
  info.state = CommandState::Ended;
  info.outcome = OutputLimit{uint64_t{1} << 40};
  info.age = std::chrono::milliseconds(5);
  info.stdout_bytes = 1;
  info.stderr_bytes = 2;
  const ControlReply reply =
      decode_control_reply(encode(ControlReply(CommandList{{CommandInfo(), info}})));
  const CommandInfo back = std::get<CommandList>(reply).commands.at(1);
  EXPECT_EQ(back.pid, 7);
  EXPECT_EQ(back.argv, info.argv);
  EXPECT_EQ(back.cwd, "/tmp");
  EXPECT_EQ(back.env_names, info.env_names);
  EXPECT_EQ(back.tag, "job");
  EXPECT_EQ(back.output, Output::Kept);
  EXPECT_TRUE(back.in_terminal);
  EXPECT_EQ(back.state, CommandState::Ended);
  EXPECT_EQ(back.outcome, info.outcome);
  EXPECT_EQ(back.age, info.age);
  EXPECT_EQ(back.stdout_bytes, 1U);
  EXPECT_EQ(back.stderr_bytes, 2U);
}

TEST(ControlRequest, TtlComesBack) {
  const ControlRequest request = decode_control_request(encode(ControlRequest(SetTtl{1234567})));
  EXPECT_EQ(std::get<SetTtl>(request).ttl_ms, 1234567U);
}

TEST(ControlReply, StateComesBack) {
  const State state{.ttl_left_ms = 77, .processes = 12};
  const ControlReply reply = decode_control_reply(encode(ControlReply(state)));
  EXPECT_EQ(std::get<State>(reply).ttl_left_ms, 77U);
  EXPECT_EQ(std::get<State>(reply).processes, 12U);
}

TEST(ControlRequest, OfNoKnownKindIsRefused) {
  const std::vector<std::byte> unknown(4, std::byte{0xff});
  EXPECT_THAT([&] { decode_control_request(unknown); }, FailsWith(EBADMSG));
  EXPECT_THAT([&] { decode_control_reply(unknown); }, FailsWith(EBADMSG));
}

TEST(ControlRequest, CutAtAnyByteIsRefused) {
  const std::vector<std::byte> whole = encoded(example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::span<const std::byte> cut(whole.data(), size);
    EXPECT_THAT([&] { decode_control_request(cut); }, FailsWith(EBADMSG)) << size;
  }
}

TEST(ControlRequest, ByteTooManyIsRefused) {
  std::vector<std::byte> longer = encoded(example());
  longer.push_back(std::byte{0});
  EXPECT_THAT([&] { decode_control_request(longer); }, FailsWith(EBADMSG));
}

}  // namespace
}  // namespace sandbox
