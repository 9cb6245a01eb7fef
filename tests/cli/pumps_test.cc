#include "runtime/sandboxctl/pumps.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace sandboxctl {
namespace {

using sandbox::check;
using sandbox::UniqueFd;

struct Pipe {
  Pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  void put(const std::string& text) const {
    ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string take() const {
    char buffer[64 << 10];
    const ssize_t count = ::read(reader.get(), buffer, sizeof buffer);
    return {buffer, count > 0 ? static_cast<size_t>(count) : 0};
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(OutputPump, MovesBytesFromPipeToPipe) {
  const Pipe from;
  const Pipe to;
  OutputPump pump(from.reader.get(), to.writer.get(), "stdout");
  from.put("hello");
  pump.advance();
  EXPECT_EQ(to.take(), "hello");
}

TEST(OutputPump, MovesBytesToAFileOpenedForAppending) {
  const sandbox::test::TempDir directory = sandbox::test::TempDir::with({{"log", "old "}});
  const std::string path = directory.path("log");
  const UniqueFd file{check(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), "open", path)};
  const Pipe from;
  OutputPump pump(from.reader.get(), file.get(), "stdout");
  from.put("new");
  pump.advance();
  EXPECT_EQ(directory.read("log"), "old new");
}

TEST(OutputPump, WaitsForASinkThatIsFull) {
  const Pipe from;
  const Pipe to;
  while (::write(to.writer.get(), "x", 1) == 1) continue;
  OutputPump pump(from.reader.get(), to.writer.get(), "stdout");
  from.put("late");
  pump.advance();
  EXPECT_EQ(pump.wanted().fd, to.writer.get());
  EXPECT_EQ(pump.wanted().events, POLLOUT);
  to.take();
  pump.advance();
  EXPECT_EQ(to.take(), "late");
}

TEST(OutputPump, FinishesAtEndOfFile) {
  Pipe from;
  const Pipe to;
  OutputPump pump(from.reader.get(), to.writer.get(), "stdout");
  from.writer.reset();
  pump.advance();
  EXPECT_TRUE(pump.finished());
}

TEST(OutputPump, FinishesWhenTheReaderHasGone) {
  ::signal(SIGPIPE, SIG_IGN);
  const Pipe from;
  Pipe to;
  to.reader.reset();
  OutputPump pump(from.reader.get(), to.writer.get(), "stdout");
  from.put("hello");
  pump.advance();
  EXPECT_TRUE(pump.finished());
}

TEST(OutputPump, FullDiskIsAFailure) {
  const UniqueFd full{check(::open("/dev/full", O_WRONLY | O_CLOEXEC), "open", "/dev/full")};
  const Pipe from;
  OutputPump pump(from.reader.get(), full.get(), "stdout");
  from.put("hello");
  EXPECT_THROW(pump.advance(), Failure);
}

TEST(OutputPump, OwesWhatWasInThePipeAtTheEnd) {
  const Pipe from;
  const Pipe to;
  OutputPump pump(from.reader.get(), to.writer.get(), "stdout");
  from.put("rest");
  pump.note_end();
  EXPECT_FALSE(pump.settled());
  pump.advance();
  EXPECT_TRUE(pump.settled());
  EXPECT_FALSE(pump.finished());
}

TEST(CapturePump, KeepsTheLimitAndCountsTheRest) {
  const Pipe from;
  CapturePump pump(from.reader.get(), 3);
  from.put("hello");
  pump.advance();
  from.put("again");
  pump.advance();
  EXPECT_EQ(pump.text(), "hel");
  EXPECT_EQ(pump.dropped_bytes(), 7U);
}

TEST(InputPump, ReadsOnlyWhenTheCommandHasRoom) {
  const Pipe from;
  const Pipe to;
  while (::write(to.writer.get(), "x", 1) == 1) continue;
  const InputPump pump(from.reader.get(), to.writer.get());
  from.put("later");
  EXPECT_EQ(pump.wanted().fd, to.writer.get());
}

TEST(InputPump, KeepsWhatTheCommandDoesNotTakeAtOnce) {
  const Pipe from;
  const Pipe to;
  check(::fcntl(to.writer.get(), F_SETPIPE_SZ, 4096), "fcntl");
  InputPump pump(from.reader.get(), to.writer.get());
  from.put(std::string(6000, 'a') + "end");
  pump.advance();
  pump.advance();
  std::string all = to.take();
  pump.advance();
  all += to.take();
  EXPECT_EQ(all, std::string(6000, 'a') + "end");
}

TEST(InputPump, FinishesWhenTheCommandHasClosedItsStdin) {
  ::signal(SIGPIPE, SIG_IGN);
  const Pipe from;
  Pipe to;
  InputPump pump(from.reader.get(), to.writer.get());
  to.reader.reset();
  from.put("unread");
  pump.advance();
  pump.advance();
  EXPECT_TRUE(pump.finished());
}

}  // namespace
}  // namespace sandboxctl
