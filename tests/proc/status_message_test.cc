#include "proc/status_message.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;

template <typename T>
T round_trip(const T& message) {
  return std::get<T>(decode_status(encode(message)));
}

Outcome round_trip_of(const Outcome& outcome) { return round_trip(Ended{outcome, {}}).outcome; }

std::vector<StatusMessage> one_of_each() {
  return {Started{42},
          StartFailed{ENOENT, "execve", "no-such", "install it"},
          Ended{Signaled{SIGSEGV, true}, {}},
          SignalRequest{SIGTERM, Target::Tree},
          Detach{},
          Gap{Stream::Stderr, 1, 2},
          CloseStdin{}};
}

TEST(StatusMessage, StartedKeepsThePid) { EXPECT_EQ(round_trip(Started{4194304}).pid, 4194304); }

TEST(StatusMessage, StartFailedKeepsEveryText) {
  const StartFailed failed = round_trip(StartFailed{EACCES, "execve", "/tmp/a b", "chmod +x"});
  EXPECT_EQ(failed.error, EACCES);
  EXPECT_EQ(failed.call, "execve");
  EXPECT_EQ(failed.subject, "/tmp/a b");
  EXPECT_EQ(failed.hint, "chmod +x");
}

TEST(StatusMessage, EveryOutcomeComesBack) {
  for (const Outcome& outcome :
       {Outcome(Exited{0}), Outcome(Exited{255}), Outcome(Signaled{SIGKILL, false}),
        Outcome(Signaled{SIGSEGV, true}), Outcome(TimedOut{}), Outcome(SandboxGone{})}) {
    EXPECT_EQ(round_trip_of(outcome), outcome) << to_string(outcome);
  }
}

TEST(StatusMessage, UsageComesBack) {
  using std::chrono::microseconds;
  const Usage usage = round_trip(Ended{Exited{0}, Usage{.wall = microseconds(1),
                                                        .user = microseconds(2),
                                                        .system = microseconds(3),
                                                        .peak_memory_bytes = uint64_t{1} << 40,
                                                        .voluntary_switches = 5,
                                                        .involuntary_switches = 6,
                                                        .read_bytes = 7,
                                                        .written_bytes = 8,
                                                        .sandbox_peak_memory_bytes = 9,
                                                        .sandbox_peak_pids = 10}})
                          .usage;
  EXPECT_EQ(usage.wall, microseconds(1));
  EXPECT_EQ(usage.user, microseconds(2));
  EXPECT_EQ(usage.system, microseconds(3));
  EXPECT_EQ(usage.peak_memory_bytes, uint64_t{1} << 40);
  EXPECT_EQ(usage.voluntary_switches, 5U);
  EXPECT_EQ(usage.involuntary_switches, 6U);
  EXPECT_EQ(usage.read_bytes, 7U);
  EXPECT_EQ(usage.written_bytes, 8U);
  EXPECT_EQ(usage.sandbox_peak_memory_bytes, 9U);
  EXPECT_EQ(usage.sandbox_peak_pids, 10U);
}

TEST(StatusMessage, SignalRequestComesBack) {
  const SignalRequest request = round_trip(SignalRequest{SIGRTMAX, Target::Tree});
  EXPECT_EQ(request.signal, SIGRTMAX);
  EXPECT_EQ(request.target, Target::Tree);
}

TEST(StatusMessage, GapComesBack) {
  const Gap gap = round_trip(Gap{Stream::Stderr, uint64_t{1} << 40, 7});
  EXPECT_EQ(gap.stream, Stream::Stderr);
  EXPECT_EQ(gap.offset, uint64_t{1} << 40);
  EXPECT_EQ(gap.bytes, 7U);
}

TEST(StatusMessage, CutAtAnyByteIsRefused) {
  for (const StatusMessage& message : one_of_each()) {
    const std::vector<std::byte> whole = encode(message);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::span<const std::byte> cut(whole.data(), size);
      EXPECT_THAT([&] { decode_status(cut); }, FailsWith(EBADMSG))
          << "kind " << message.index() << ", " << size << " bytes";
    }
  }
}

TEST(StatusMessage, ByteTooManyIsRefused) {
  for (const StatusMessage& message : one_of_each()) {
    std::vector<std::byte> longer = encode(message);
    longer.push_back(std::byte{0});
    EXPECT_THAT([&] { decode_status(longer); }, FailsWith(EBADMSG)) << message.index();
  }
}

TEST(StatusMessage, UnknownKindIsRefused) {
  const std::vector<std::byte> unknown(64, std::byte{0x7f});
  EXPECT_THAT([&] { decode_status(unknown); }, FailsWith(EBADMSG));
}

TEST(StatusMessage, UnknownOutcomeIsRefused) {
  std::vector<std::byte> message = encode(Ended{Exited{0}, {}});
  message.at(sizeof(uint32_t)) = std::byte{99};
  EXPECT_THAT([&] { decode_status(message); }, FailsWith(EBADMSG));
}

TEST(Outcome, IsOneLineForAPerson) {
  EXPECT_EQ(to_string(Exited{7}), "exited with 7");
  EXPECT_EQ(to_string(Signaled{SIGSEGV, false}), "killed by SIGSEGV");
  EXPECT_EQ(to_string(Signaled{SIGABRT, true}), "killed by SIGABRT (core dumped)");
  EXPECT_EQ(to_string(TimedOut{}), "wall-clock limit reached");
  EXPECT_EQ(to_string(SandboxGone{}), "the sandbox has ended");
}

TEST(Outcome, RealTimeSignalHasANumber) {
  EXPECT_EQ(to_string(Signaled{40, false}), "killed by signal 40");
}

}  // namespace
}  // namespace sandbox
