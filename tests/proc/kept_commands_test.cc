#include "proc/kept_commands.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/block_sigpipe.h"
#include "runtime/base/pipe.h"

namespace sandbox {
namespace {

using ::testing::IsEmpty;

constexpr pid_t kPid = 7;
constexpr std::size_t kMiB = 1 << 20;

void make_nonblocking(int fd) {
  check(::fcntl(fd, F_SETFL, O_NONBLOCK | ::fcntl(fd, F_GETFL)), "fcntl");
}

// What a program would be: the other ends of its stdio.
struct FakeCommand {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Pipe in = make_pipe();

  KeptCommands::Sources sources() {
    make_nonblocking(out.writer.get());
    return {std::move(out.reader), std::move(err.reader), std::move(in.writer)};
  }
  // False when the pipe is full.
  bool print(std::string_view text) const {
    const ssize_t wrote = ::write(out.writer.get(), text.data(), text.size());
    return wrote == static_cast<ssize_t>(text.size());
  }
  void exit() {
    out.writer.reset();
    err.writer.reset();
    in.reader.reset();
  }
};

// What a host has of a command.
struct FakeHost {
  MessageSocket status;
  UniqueFd out;
  UniqueFd err;

  // What is in the pipe now.
  std::string read(const UniqueFd& pipe) const {
    make_nonblocking(pipe.get());
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = ::read(pipe.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  std::string read() const { return read(out); }
  static bool is_at_end(const UniqueFd& pipe) {
    pollfd waiting{pipe.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1 && waiting.revents == POLLHUP;
  }
  bool has_message() const {
    pollfd waiting{status.fd(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  std::optional<Message> receive() const { return has_message() ? status.receive() : std::nullopt; }
  // Those of one kind, and nothing else is left then.
  template <typename T>
  std::vector<T> messages() const {
    std::vector<T> found;
    while (const auto message = receive()) {
      const StatusMessage decoded = decode_status(message->payload);
      if (const auto* wanted = std::get_if<T>(&decoded)) found.push_back(*wanted);
    }
    return found;
  }
};

class Kept : public ::testing::Test {
 protected:
  std::vector<KeptEvent> turn() {
    std::vector<KeptEvent> all;
    for (pollfd waiting{kept.fd(), POLLIN, 0}; ::poll(&waiting, 1, 0) == 1;) {
      for (KeptEvent& event : kept.handle_events()) all.push_back(event);
    }
    return all;
  }
  // All of the host's stdout, waiting for its end.
  std::string read_to_end(const FakeHost& host) {
    std::string text;
    while (!FakeHost::is_at_end(host.out)) {
      turn();
      text += host.read();
      pollfd waiting{kept.fd(), POLLIN, 0};
      if (!FakeHost::is_at_end(host.out) && ::poll(&waiting, 1, 20'000) == 0) return "no end";
    }
    return text;
  }
  FakeCommand start(const OutputPolicy& policy = {}, pid_t pid = kPid) {
    FakeCommand command;
    kept.add(pid, command.sources(), policy, 1);
    return command;
  }
  FakeHost connect(uint64_t from = 0, Follow follow = Follow::Yes, pid_t pid = kPid) {
    auto [ours, theirs] = MessageSocket::pair();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    kept.connect(pid, {.status = std::move(theirs),
                       .out = std::move(out.writer),
                       .err = std::move(err.writer),
                       .out_from = from,
                       .follow = follow});
    return {std::move(ours), std::move(out.reader), std::move(err.reader)};
  }
  static StartFailed refusal(const FakeHost& host) {
    const std::vector<StartFailed> failures = host.messages<StartFailed>();
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_TRUE(FakeHost::is_at_end(host.out));
    return failures.empty() ? StartFailed() : failures.front();
  }
  // Prints without ever waiting for anybody but PID 1.
  void flood(const FakeCommand& command, std::size_t bytes, char with = 'x') {
    const std::string chunk(4096, with);
    for (std::size_t done = 0; done < bytes; done += chunk.size()) {
      while (!command.print(chunk)) turn();
    }
    turn();
  }
  void end(FakeCommand& command, pid_t pid = kPid) {
    command.exit();
    finish(pid);
  }
  void finish(pid_t pid = kPid) {
    CommandInfo info;
    info.pid = pid;
    kept.end(pid, info, Ended{.outcome = Exited{3}, .usage = {}});
  }

  KeptCommands kept;
};

const OutputPolicy kPiped{.output = Output::Piped};

// --- From when on.

TEST_F(Kept, WhatCameBeforeIsReplayed) {
  const FakeCommand command = start();
  command.print("before");
  turn();
  EXPECT_EQ(connect().read(), "before");
}

TEST_F(Kept, WhatComesLaterFollows) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  command.print("later");
  turn();
  EXPECT_EQ(host.read(), "later");
}

TEST_F(Kept, StreamsAreApart) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  command.print("out");
  ASSERT_EQ(::write(command.err.writer.get(), "err", 3), 3);
  turn();
  EXPECT_EQ(host.read(host.out), "out");
  EXPECT_EQ(host.read(host.err), "err");
}

TEST_F(Kept, OffsetSkipsWhatTheClientHas) {
  const FakeCommand command = start();
  command.print("abcdef");
  turn();
  EXPECT_EQ(connect(4).read(), "ef");
}

TEST_F(Kept, EndIsAnOffset) {
  const FakeCommand command = start();
  command.print("abc");
  const FakeHost host = connect(3);
  command.print("def");
  turn();
  EXPECT_EQ(host.read(), "def");
}

TEST_F(Kept, OffsetBeyondTheEndIsInvalid) {
  const FakeCommand command = start();
  command.print("abc");
  EXPECT_EQ(refusal(connect(4)).error, EINVAL);
}

TEST_F(Kept, UnknownPidIsEsrch) { EXPECT_EQ(refusal(connect()).error, ESRCH); }

TEST_F(Kept, WithoutFollowingThereIsAnEndAtOnce) {
  const FakeCommand command = start();
  command.print("so far");
  const FakeHost host = connect(0, Follow::No);
  command.print(", later");
  turn();
  EXPECT_EQ(host.read(), "so far");
  EXPECT_TRUE(host.is_at_end(host.out));
  EXPECT_THAT(host.messages<Ended>(), IsEmpty());
  EXPECT_TRUE(turn().empty());
}

// --- Readers that are slow.

TEST_F(Kept, NobodyHasToRead) {
  const FakeCommand command = start();
  flood(command, 3 * kMiB);
}

TEST_F(Kept, ReaderThatNeverReadsHoldsUpNeitherCommandNorOthers) {
  const FakeCommand command = start();
  const FakeHost asleep = connect();
  const FakeHost awake = connect();
  std::string read;
  for (int i = 0; i < 100; ++i) {
    const std::string chunk(32 << 10, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(command.print(chunk));
    turn();
    ASSERT_EQ(awake.read(), chunk);
  }
  EXPECT_THAT(awake.messages<Gap>(), IsEmpty());
}

TEST_F(Kept, ReaderThatFellBehindIsToldTheGap) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  flood(command, 2 * kMiB, 'a');
  flood(command, kMiB, 'b');
  const std::string before = host.read();
  turn();
  const std::vector<Gap> gaps = host.messages<Gap>();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].stream, Stream::Stdout);
  EXPECT_EQ(gaps[0].offset, before.size());
  EXPECT_EQ(gaps[0].offset + gaps[0].bytes, 2 * kMiB);
  EXPECT_EQ(host.read().find_first_not_of('b'), std::string::npos);
}

TEST_F(Kept, ReplayThatBeganTooLateIsToldTheGap) {
  const FakeCommand command = start();
  flood(command, kMiB + 4096);
  const std::vector<Gap> gaps = connect().messages<Gap>();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].offset, 0U);
  EXPECT_EQ(gaps[0].bytes, 4096U);
}

// The socket's buffer fills with gaps.
TEST_F(Kept, ClientThatReadsNoMessagesHoldsUpNobody) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  std::string last;
  for (int i = 0; i < 600 && (i < 10 || !last.empty()); ++i) {
    flood(command, kMiB + (128 << 10));
    last = host.read();
  }
  EXPECT_EQ(last, "") << "positive control: its socket never filled";
  EXPECT_FALSE(host.messages<Gap>().empty());
  turn();
  EXPECT_NE(host.read(), "");
}

TEST_F(Kept, ClientThatClosesOnePipeGetsTheOther) {
  const FakeCommand command = start();
  FakeHost host = connect();
  host.out.reset();
  command.print("unheard");
  turn();
  ASSERT_EQ(::write(command.err.writer.get(), "heard", 5), 5);
  turn();
  EXPECT_EQ(host.read(host.err), "heard");
}

TEST_F(Kept, ClientThatTalksNonsenseIsDropped) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  host.status.send(std::as_bytes(std::span("nonsense", 8)));
  turn();
  EXPECT_TRUE(host.is_at_end(host.out));
  EXPECT_TRUE(command.print("lives"));
}

// --- The end.

TEST_F(Kept, AllIsDeliveredThenClosedAndTold) {
  FakeCommand command = start();
  const FakeHost host = connect();
  flood(command, 60 << 10);
  command.print("last");
  end(command);
  turn();
  const std::string all = host.read();
  EXPECT_EQ(all.size(), (60U << 10) + 4);
  EXPECT_TRUE(all.ends_with("last"));
  EXPECT_TRUE(host.is_at_end(host.out));
  const std::vector<Ended> ended = host.messages<Ended>();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].outcome, Outcome(Exited{3}));
}

TEST_F(Kept, EndIsToldThoughNobodyReads) {
  FakeCommand command = start();
  const FakeHost host = connect();
  flood(command, kMiB);
  end(command);
  EXPECT_EQ(host.messages<Ended>().size(), 1U);
  EXPECT_EQ(read_to_end(host).size(), kMiB);
}

TEST_F(Kept, LateClientGetsOutputAndEnd) {
  FakeCommand command = start();
  command.print("all of it");
  end(command);
  const FakeHost host = connect();
  EXPECT_EQ(host.messages<Ended>().size(), 1U);
  EXPECT_EQ(read_to_end(host), "all of it");
}

TEST_F(Kept, DaemonThatHasThePipeKeepsNobodyWaiting) {
  FakeCommand command = start();
  const FakeHost host = connect();
  command.print("text");
  finish();
  EXPECT_EQ(host.messages<Ended>().size(), 1U);
  EXPECT_EQ(read_to_end(host), "text");
  EXPECT_TRUE(command.print("more")) << "positive control: the pipe is still read";
}

TEST_F(Kept, WhatADaemonPrintsLaterIsKept) {
  FakeCommand command = start();
  command.print("command, ");
  finish();
  command.print("daemon");
  turn();
  EXPECT_EQ(connect().read(), "command, daemon");
}

TEST_F(Kept, EndedOneIsListedWithItsOutcome) {
  FakeCommand command = start();
  command.print("12345");
  end(command);
  const std::vector<CommandInfo> ended = kept.ended();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].pid, kPid);
  EXPECT_EQ(ended[0].state, CommandState::Ended);
  EXPECT_EQ(ended[0].outcome, Outcome(Exited{3}));
  EXPECT_EQ(ended[0].stdout_bytes, 5U);
}

// --- Stdin, signals and leaving.

TEST_F(Kept, ClientGetsTheInput) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  const std::optional<Message> started = host.receive();
  ASSERT_TRUE(started && started->fds.size() == 1U);
  ASSERT_EQ(::write(started->fds[0].get(), "hello", 5), 5);
  std::array<char, 8> buffer{};
  EXPECT_EQ(::read(command.in.reader.get(), buffer.data(), buffer.size()), 5);
}

TEST_F(Kept, InputEndsWhenItIsClosedAndNobodyHasACopy) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  host.receive();
  make_nonblocking(command.in.reader.get());
  char byte = 0;
  ASSERT_EQ(::read(command.in.reader.get(), &byte, 1), -1) << "positive control";
  host.status.send(encode(CloseStdin{}));
  turn();
  EXPECT_EQ(::read(command.in.reader.get(), &byte, 1), 0);
}

TEST_F(Kept, SignalIsPassedOn) {
  const FakeCommand command = start();
  const FakeHost host = connect();
  host.status.send(encode(SignalRequest{SIGUSR1, Target::Tree}));
  const std::vector<KeptEvent> events = turn();
  ASSERT_EQ(events.size(), 1U);
  const auto* wanted = std::get_if<SignalWanted>(&events[0]);
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(wanted->pid, kPid);
  EXPECT_EQ(wanted->request.signal, SIGUSR1);
  EXPECT_EQ(wanted->request.target, Target::Tree);
}

TEST_F(Kept, SignalToAnEndedOneIsNotPassedOn) {
  FakeCommand command = start();
  end(command);
  const FakeHost host = connect();
  host.status.send(encode(SignalRequest{SIGKILL, Target::Process}));
  EXPECT_TRUE(turn().empty());
}

TEST_F(Kept, OutlivesItsClients) {
  const FakeCommand command = start();
  connect();
  EXPECT_TRUE(turn().empty());
  command.print("still here");
  EXPECT_EQ(connect().read(), "still here");
}

// --- Bounds.

TEST_F(Kept, OldestEndedIsGivenUpFirstAndAskingForItSaysSo) {
  kept = KeptCommands({.ended_commands = 2});
  for (const pid_t pid : {30, 10, 20}) {
    FakeCommand command = start({}, pid);
    end(command, pid);
    turn();
  }
  const std::vector<CommandInfo> ended = kept.ended();
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].pid, 10);
  EXPECT_EQ(ended[1].pid, 20);
  const StartFailed failed = refusal(connect(0, Follow::Yes, 30));
  EXPECT_EQ(failed.error, ESRCH);
  EXPECT_THAT(failed.hint, ::testing::HasSubstr("given up"));
}

TEST_F(Kept, RingsOfEndedOnesMakeRoomForNewOutput) {
  kept = KeptCommands({.ring_bytes = 2 * kMiB});
  for (const pid_t pid : {1, 2, 3}) {
    FakeCommand command = start({}, pid);
    flood(command, kMiB);
    end(command, pid);
    turn();
  }
  const std::vector<CommandInfo> ended = kept.ended();
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].pid, 2);
}

TEST_F(Kept, RingsOfRunningOnesStaySmallWhenThereIsNoRoom) {
  kept = KeptCommands({.ring_bytes = kMiB + 4096});
  const FakeCommand first = start({}, 1);
  const FakeCommand second = start({}, 2);
  flood(first, 2 * kMiB);
  flood(second, 2 * kMiB);
  const std::vector<Gap> gaps = connect(0, Follow::Yes, 2).messages<Gap>();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].bytes, 2 * kMiB - 4096);
}

TEST_F(Kept, NewCommandWithThePidOfAnEndedOneTakesItsPlace) {
  FakeCommand old = start();
  old.print("old");
  end(old);
  const FakeCommand command = start();
  command.print("new");
  EXPECT_EQ(connect().read(), "new");
  EXPECT_THAT(kept.ended(), IsEmpty());
}

// --- Limits of output.

TEST_F(Kept, HeadIsKeptAndTheRestToldMissing) {
  FakeCommand command = start({.max_bytes = 10, .on_excess = OnExcess::KeepHead});
  command.print("0123456789abc");
  turn();
  command.print("def");
  end(command);
  const FakeHost host = connect();
  EXPECT_EQ(read_to_end(host), "0123456789");
  const std::vector<Gap> gaps = host.messages<Gap>();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].offset, 10U);
  EXPECT_EQ(gaps[0].bytes, 6U);
}

TEST_F(Kept, TailIsKept) {
  FakeCommand command = start({.max_bytes = 4, .on_excess = OnExcess::KeepTail});
  command.print("0123456789");
  end(command);
  const FakeHost host = connect();
  EXPECT_EQ(host.read(), "6789");
  EXPECT_EQ(host.messages<Gap>().size(), 1U);
}

TEST_F(Kept, ExcessIsToldOnceWhereItIsToKill) {
  const FakeCommand command = start({.max_bytes = 4, .on_excess = OnExcess::Kill});
  command.print("0123");
  EXPECT_TRUE(turn().empty());
  command.print("4");
  const std::vector<KeptEvent> events = turn();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<LimitReached>(events[0]));
  command.print("5");
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(connect().read(), "0123");
}

// --- Commands that are not kept.

TEST_F(Kept, PipedOneWaitsForItsClientAndLosesNothing) {
  FakeCommand command = start(kPiped);
  const FakeHost host = connect();
  std::string written;
  std::string read;
  for (char letter = 'a'; written.size() < 4 * kMiB; letter = letter == 'z' ? 'a' : letter + 1) {
    const std::string chunk(4096, letter);
    while (!command.print(chunk)) {
      turn();
      read += host.read();
    }
    written += chunk;
  }
  end(command);
  read += read_to_end(host);
  EXPECT_TRUE(read == written) << read.size() << " of " << written.size();
  EXPECT_THAT(host.messages<Gap>(), IsEmpty());
}

TEST_F(Kept, PipedOneIsHeldUpByAClientThatDoesNotRead) {
  const FakeCommand command = start(kPiped);
  const FakeHost host = connect();
  const std::string chunk(4096, 'x');
  std::size_t accepted = 0;
  for (int refusals = 0; refusals < 3;) {
    turn();
    command.print(chunk) ? accepted += chunk.size() : static_cast<std::size_t>(++refusals);
  }
  EXPECT_LT(accepted, kMiB);
  EXPECT_TRUE(turn().empty());
}

TEST_F(Kept, PipedOneIsAbandonedWithItsClient) {
  const FakeCommand command = start(kPiped);
  connect();
  const std::vector<KeptEvent> events = turn();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Abandoned>(events[0]));
}

TEST_F(Kept, PipedOneWhoseClientDetachedLivesAndMeetsSigpipe) {
  const FakeCommand command = start(kPiped);
  FakeHost host = connect();
  host.status.send(encode(Detach{}));
  host.status = MessageSocket();
  EXPECT_TRUE(turn().empty());
  command.print("x");
  turn();
  EXPECT_EQ(host.read(), "x");
  host.out.reset();
  turn();
  const BlockSigpipe blocked;
  EXPECT_FALSE(command.print("y"));
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(Kept, PipedOneTakesOneClient) {
  const FakeCommand command = start(kPiped);
  const FakeHost host = connect();
  EXPECT_EQ(refusal(connect()).error, EINVAL);
}

TEST_F(Kept, PipedOneIsForgottenWhenItsClientHasAll) {
  FakeCommand command = start(kPiped);
  const FakeHost host = connect();
  command.print("x");
  end(command);
  turn();
  EXPECT_EQ(host.read(), "x");
  EXPECT_TRUE(host.is_at_end(host.out));
  EXPECT_FALSE(kept.has(kPid));
}

TEST_F(Kept, TailOfAPipedOneIsDeliveredAtTheEnd) {
  FakeCommand command =
      start({.output = Output::Piped, .max_bytes = 4, .on_excess = OnExcess::KeepTail});
  const FakeHost host = connect();
  command.print("0123456789");
  turn();
  EXPECT_EQ(host.read(), "");
  command.print("abc");
  end(command);
  turn();
  EXPECT_EQ(host.read(), "9abc");
  const std::vector<Gap> gaps = host.messages<Gap>();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].bytes, 9U);
}

}  // namespace
}  // namespace sandbox
