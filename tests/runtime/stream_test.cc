// Output of commands: complete, in order, with constant memory.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <random>
#include <stdexcept>
#include <string>

#include "sandbox/error.h"
#include "sandbox/process.h"
#include "tests/runtime/box.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::Box;
using test::TempDir;

constexpr std::size_t kMiB = 1 << 20;

std::string random_bytes(std::size_t size) {
  std::mt19937_64 engine(20'240'229);
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
    const uint64_t word = engine();
    std::copy_n(reinterpret_cast<const char*>(&word), sizeof(word), bytes.data() + i);
  }
  return bytes;
}

// Checks that what arrives is `expected`, without keeping it.
class Comparison {
 public:
  explicit Comparison(const std::string& expected) : expected_(expected) {}

  void add(std::string_view chunk) {
    same_ = same_ && std::string_view(expected_).substr(at_, chunk.size()) == chunk;
    at_ += chunk.size();
  }
  bool complete() const { return same_ && at_ == expected_.size(); }
  std::size_t bytes() const { return at_; }

 private:
  const std::string& expected_;
  std::size_t at_ = 0;
  bool same_ = true;
};

uint64_t count_output(Process& process) {
  uint64_t bytes = 0;
  process.stream([&bytes](Stream, std::string_view chunk) { bytes += chunk.size(); });
  return bytes;
}

TEST(Stream, SixtyFourMebibytesOnBothStreamsAtOnceArriveExactly) {
  const std::string content = random_bytes(64 * kMiB);
  const TempDir host = TempDir::with({{"content", content}});
  const Box box(SandboxOptions{.mounts = {{host.path("content"), "/content"}}});
  Process process = box.start("cat /content >&2 & cat /content; wait");
  Comparison out(content);
  Comparison err(content);
  process.stream([&](Stream from, std::string_view chunk) {
    (from == Stream::Stdout ? out : err).add(chunk);
  });
  EXPECT_TRUE(out.complete()) << out.bytes() << " bytes";
  EXPECT_TRUE(err.complete()) << err.bytes() << " bytes";
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
}

TEST(Stream, CommandWithoutOutputNeverCallsBack) {
  const Box box;
  Process process = box.start("true");
  process.stream([](Stream, std::string_view) { ADD_FAILURE() << "called"; });
}

TEST(Stream, NothingIsLostWhileNobodyReads) {
  const Box box;
  Process process = box.start("head -c 3000000 /dev/zero");
  EXPECT_FALSE(process.wait_for(std::chrono::milliseconds(1)).has_value());
  EXPECT_EQ(count_output(process), 3'000'000U);
}

TEST(Stream, OutputOfAnEndedCommandIsStillThere) {
  const Box box;
  Process process = box.start("echo still here");
  process.wait();
  std::string text;
  process.stream([&text](Stream, std::string_view chunk) { text += chunk; });
  EXPECT_EQ(text, "still here\n");
}

TEST(Stream, MemoryStaysFlatHoweverMuchThereIs) {
  const Box box;
  Process process = box.start("head -c 1G /dev/zero");
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(count_output(process), uint64_t{1} << 30);
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024);  // KiB.
}

TEST(Stream, ExceptionOfTheCallbackPassesAndTheRestCanBeHadLater) {
  const Box box;
  Process process = box.start("head -c 1000000 /dev/zero; exit 3");
  uint64_t bytes = 0;
  EXPECT_THROW(process.stream([&bytes](Stream, std::string_view chunk) {
    bytes += chunk.size();
    throw std::runtime_error("enough");
  }),
               std::runtime_error);
  EXPECT_GT(bytes, 0U);
  EXPECT_EQ(bytes + count_output(process), 1'000'000U);
  EXPECT_EQ(process.wait(), Outcome(Exited{3}));
}

TEST(Stream, DaemonThatHoldsThePipeIsNotWaitedFor) {
  const Box box;
  Process process = box.start("sleep 1000 & echo done");
  std::string text;
  process.stream([&text](Stream, std::string_view chunk) { text += chunk; });
  EXPECT_EQ(text, "done\n");
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
  EXPECT_TRUE(box.runs("sleep"));
}

TEST(Stream, AllOutputBeforeTheEndArrivesThoughADaemonHoldsThePipe) {
  const Box box;
  Process process = box.start("sleep 1000 & head -c 60000 /dev/zero");
  process.wait();
  EXPECT_EQ(count_output(process), 60'000U);
}

TEST(Stream, DaemonThatNeverStopsWritingDoesNotHoldUp) {
  const Box box;
  Process process = box.start("yes & echo done >&2");
  std::string err;
  process.stream([&err](Stream from, std::string_view chunk) {
    if (from == Stream::Stderr) err += chunk;
  });
  EXPECT_EQ(err, "done\n");
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
}

TEST(Stream, BytesAreNotText) {
  const Box box;
  EXPECT_EQ(box.sh(R"(printf '\000\377\200\n\r')").stdout_text, std::string("\0\xff\x80\n\r", 5));
}

TEST(Stream, DescriptorCanBeReadDirectly) {
  const Box box;
  Process process = box.start("printf direct");
  std::array<char, 64> buffer{};
  std::string text;
  for (;;) {
    const ssize_t got = check(::read(process.stdout_fd(), buffer.data(), buffer.size()), "read");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  EXPECT_EQ(text, "direct");
}

}  // namespace
}  // namespace sandbox
