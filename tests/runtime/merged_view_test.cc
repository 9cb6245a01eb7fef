// What the layers of steps look like together is what the steps left: the trees are random.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "sandbox/templates.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::TempDir;

constexpr int kSteps = 6;

// Changes the trees below /home/user/trees at random, and prints before and after what is there.
constexpr const char* kTrees = R"(
import os, random, shutil, sys
seed, change = int(sys.argv[1]), random.Random(int(sys.argv[1]))
top = '/home/user/trees'
names = ['a', 'b', 'c', 'd\\ e', 'f\n']
def path(root):
    return os.path.join(root, *[change.choice(names) for _ in range(change.randint(1, 3))])
def write(p):
    with open(p, 'w') as f: f.write(str(change.random()))
def one(root):
    p, q = path(root), path(root)
    kind = change.randint(0, 9)
    if kind <= 1: os.makedirs(p, change.choice([0o755, 0o700, 0o1777]))
    elif kind <= 3: write(p)
    elif kind == 4: os.symlink(change.choice(names), p)
    elif kind == 5: os.unlink(p)
    elif kind == 6: shutil.rmtree(p)
    elif kind == 7: shutil.rmtree(p); os.mkdir(p); write(os.path.join(p, 'new'))
    elif kind == 8: os.rename(p, q)
    else: os.chmod(p, change.choice([0o711, 0o755, 0o700, 0o744]))
def view():
    for root, dirs, files in sorted(os.walk(top)):
        dirs.sort()
        for name in sorted(dirs + files):
            p = os.path.join(root, name)
            s = os.lstat(p)
            link = os.readlink(p) if os.path.islink(p) else ''
            text = open(p).read() if os.path.isfile(p) and not link else ''
            print(repr((p, oct(s.st_mode), s.st_mtime_ns, link, text)))
print('== before', seed); view()
for tree in range(30):
    root = os.path.join(top, str(tree))
    os.makedirs(root, exist_ok=True)
    for _ in range(12):
        try: one(root)
        except (OSError, shutil.Error): pass
print('== after', seed); view()
)";

std::map<std::string, std::string> sections_of(const std::string& output) {
  std::map<std::string, std::string> sections;
  std::istringstream lines(output);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("== ")) {
      name = line.substr(3);
    } else {
      sections[name] += line + "\n";
    }
  }
  return sections;
}

// Few in every run; the long one says how many.
int rounds() {
  const char* const value = std::getenv("SANDBOX_TEST_ROUNDS");
  return value == nullptr ? 2 : std::atoi(value);
}

std::string manifest_of(int round) {
  std::string manifest = "name: trees\nsteps:\n  - copy: {from: trees.py, to: /opt/trees.py}\n";
  for (int step = 0; step < kSteps; ++step) {
    manifest.append("  - run: python3 /opt/trees.py ").append(std::to_string(round * 100 + step));
    manifest += '\n';
  }
  return manifest;
}

// What a step leaves is what the next one finds: 30 trees a step, 6 steps a round.
TEST(MergedView, OfTheLayersIsTheViewBeforeCommit) {
  test::require_user_namespaces();
  const TempDir files = TempDir::with({{"trees.py", kTrees}});
  const Templates templates;
  for (int round = 0; round < rounds(); ++round) {
    files.write("app.yaml", manifest_of(round));
    std::string output;
    templates.build(files.path("app.yaml"),
                    {.on_output = [&](std::string_view chunk) { output += chunk; }});
    const auto sections = sections_of(output);
    ASSERT_GT(sections.at("after " + std::to_string(round * 100 + kSteps - 1)).size(), 1000U);
    for (int step = 1; step < kSteps; ++step) {
      const int seed = round * 100 + step;
      ASSERT_EQ(sections.at("before " + std::to_string(seed)),
                sections.at("after " + std::to_string(seed - 1)))
          << seed;
    }
    EXPECT_TRUE(templates.verify("trees").empty());
  }
}

}  // namespace
}  // namespace sandbox
