// The posture of a sandbox, as the host sees it, against a golden text.
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

std::string golden(const std::string& name) {
  std::ifstream in(std::string(POSTURE_DIRECTORY) + '/' + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Without the files of /proc that only some kernels have.
std::string comparable(const Lines& lines) {
  std::string kept;
  for (const std::string& line : lines) {
    if (!line.starts_with("mount /proc/") || line.starts_with("mount /proc/sys ")) {
      kept += line + '\n';
    }
  }
  return kept;
}

TEST(Posture, OfACommandIsGolden) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"threads", "3"});
  wait_for_word(process, "ready");
  const pid_t pid = find_probe(box.host_pid(), "threads");
  ASSERT_GT(pid, 0);
  for (const pid_t thread : threads_of(pid)) {
    EXPECT_EQ(comparable(posture(thread)), golden("posture_command.golden"));
  }
  process.close_stdin();
  process.wait();
}

TEST(Posture, OfInitIsGolden) {
  require_root();  // Init is not dumpable: its links are for root to read.
  AttackBox attack;
  const Sandbox box = attack.make();
  const std::string wanted = golden("posture_init.golden");

  // The sandbox is ready a moment before init waits for requests.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::string found;
  do {
    found = comparable(posture(box.host_pid()));
  } while (found != wanted && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(found, wanted);
}

// Every mount over a file of /proc is read-only, whichever of them this kernel has.
TEST(Posture, MountsOverProcAreReadOnly) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"threads", "0"});
  wait_for_word(process, "ready");
  int masks = 0;
  for (const std::string& line : posture(find_probe(box.host_pid(), "threads"))) {
    if (!line.starts_with("mount /proc/")) continue;
    ++masks;
    EXPECT_THAT(line, ::testing::HasSubstr(" ro,nosuid"));
    EXPECT_THAT(line, ::testing::HasSubstr("noexec"));
  }
  EXPECT_GE(masks, 10);
  process.close_stdin();
  process.wait();
}

TEST(Posture, OfAProgramOutsideIsAnother) {
  EXPECT_NE(comparable(posture(::getpid())), golden("posture_command.golden"));
}

}  // namespace
}  // namespace sandbox::test
