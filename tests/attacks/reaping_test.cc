// Processes that a command leaves to PID 1, more than it could start at once.
#include <gmock/gmock.h>

#include <string>

#include "tests/attacks/attack_box.h"

namespace sandbox::test {
namespace {

// Zombies included, and those that look.
std::string processes_in(const Sandbox& box) {
  return box.commands()
      .run({.argv = {"/bin/sh", "-c", "set -- /proc/[0-9]*; echo $#"}})
      .stdout_text;
}

TEST(Reaping, TenThousandOrphansLeaveNothing) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const std::string before = processes_in(box);
  EXPECT_EQ(AttackBox::run_probe(box, {"orphans", "10000"}).stdout_text, "orphans 10000\n");
  EXPECT_EQ(processes_in(box), before);
}

TEST(Reaping, StormOfZombiesLeavesNothing) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const std::string before = processes_in(box);
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(AttackBox::run_probe(box, {"zombies", "2500"}).stdout_text, "zombies 2500\n");
  }
  EXPECT_EQ(processes_in(box), before);
}

}  // namespace
}  // namespace sandbox::test
