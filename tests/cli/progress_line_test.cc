#include "runtime/sandboxctl/progress_line.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pty.h>
#include <unistd.h>

#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandboxctl {
namespace {

using sandbox::TransferProgress;
using sandbox::UniqueFd;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// A terminal, a clock that goes when told, and a line on it.
class ProgressLines : public ::testing::Test {
 protected:
  ProgressLines() {
    int ends[2];
    sandbox::check(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), "openpty");
    reader_.reset(ends[0]);
    terminal_.reset(ends[1]);
  }

  int terminal() const { return terminal_.get(); }
  auto clock() {
    return [this] { return now_; };
  }
  void pass(milliseconds time) { now_ += time; }
  // The kernel passes on what is written to a terminal later, so a mark says that this is all.
  std::string shown() const {
    constexpr char kMark = '|';
    sandbox::check(::write(terminal_.get(), &kMark, 1), "write");
    std::string text;
    for (char next = 0;;) {
      sandbox::check(::read(reader_.get(), &next, 1), "read");
      if (next == kMark) return text;
      text += next;
    }
  }

 private:
  UniqueFd reader_;
  UniqueFd terminal_;
  ProgressLine::Clock::time_point now_{};
};

constexpr TransferProgress kSome{.path = "a", .files = 3, .bytes = 4 << 20};

TEST_F(ProgressLines, QuickWorkShowsNothing) {
  {
    ProgressLine line(terminal(), clock());
    pass(milliseconds(900));
    line.update(kSome);
  }
  EXPECT_EQ(shown(), "");
}

TEST_F(ProgressLines, WorkOfASecondShowsHowFarItIs) {
  ProgressLine line(terminal(), clock());
  pass(milliseconds(2000));
  line.update(kSome);
  EXPECT_EQ(shown(), "\r\x1b[K3 files, 4.0 MiB, 2.0 MiB/s  a");
}

TEST_F(ProgressLines, LineIsErasedInTheEnd) {
  {
    ProgressLine line(terminal(), clock());
    pass(milliseconds(2000));
    line.update(kSome);
  }
  EXPECT_THAT(shown(), EndsWith("\r\x1b[K"));
}

TEST_F(ProgressLines, LineIsNotRewrittenForEveryFile) {
  ProgressLine line(terminal(), clock());
  pass(milliseconds(2000));
  line.update(kSome);
  EXPECT_NE(shown(), "");
  pass(milliseconds(50));
  line.update(kSome);
  EXPECT_EQ(shown(), "");
  pass(milliseconds(50));
  line.update(kSome);
  EXPECT_NE(shown(), "");
}

TEST_F(ProgressLines, NothingIsShownWhereThereIsNoTerminal) {
  int ends[2];
  sandbox::check(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  {
    ProgressLine line(writer.get(), clock());
    pass(milliseconds(2000));
    line.update(kSome);
  }
  char none = 0;
  EXPECT_EQ(::read(reader.get(), &none, 1), -1);
}

TEST(ProgressText, NamesAreEscapedAndCutToTheTerminal) {
  const TransferProgress progress{.path = "a\x1b[2J\u00e9\u00e9\u00e9", .files = 0, .bytes = 0};
  const std::string text = progress_text(progress, std::chrono::seconds(1), 22);
  EXPECT_EQ(text, "0 B, 0 B/s  a\\x1b[2J\u00e9\u00e9");
}

}  // namespace
}  // namespace sandboxctl
