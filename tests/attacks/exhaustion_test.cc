// Trees and floods that a sandbox leaves to its host.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/attacks/attack_box.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SandboxOptions on_disk() {
  SandboxOptions options = AttackBox::options();
  options.upper = Upper::Directory;
  return options;
}

std::vector<fs::path> boxes() {
  std::vector<fs::path> found;
  const fs::path directory = AttackBox::data().path("data/boxes");
  if (!fs::exists(directory)) return found;
  for (const auto& entry : fs::directory_iterator(directory)) found.push_back(entry.path());
  return found;
}

// More levels than descriptors: what walks it with one descriptor each ends with EMFILE.
TEST(ExhaustionAttack, DeepTreeOnDiskIsRemoved) {
  AttackBox attack;
  Sandbox box = attack.make(on_disk());
  EXPECT_EQ(AttackBox::run_probe(box, {"deep-tree", "1500"}).stdout_text, "depth 1500\n");
  box.destroy();
  EXPECT_THAT(boxes(), IsEmpty());
}

TEST(ExhaustionAttack, LockedTreeOnDiskIsRemoved) {
  AttackBox attack;
  Sandbox box = attack.make(on_disk());
  EXPECT_THAT(AttackBox::run_probe(box, {"locked-tree"}).stdout_text, HasSubstr("lock ok"));
  box.destroy();
  EXPECT_THAT(boxes(), IsEmpty());
}

TEST(ExhaustionAttack, LockedTreeOnDiskDoesNotEndTheHost) {
  AttackBox attack;
  {
    const Sandbox box = attack.make(on_disk());
    AttackBox::run_probe(box, {"locked-tree"});
  }
  EXPECT_THAT(boxes(), IsEmpty());
}

TEST(ExhaustionAttack, DeepTreeInMemoryGoes) {
  AttackBox attack;
  Sandbox box = attack.make();
  EXPECT_EQ(AttackBox::run_probe(box, {"deep-tree", "2000"}).stdout_text, "depth 2000\n");
  box.destroy();
}

}  // namespace
}  // namespace sandbox::test
