// The whole way: a project goes in, its tests run, their report comes back, nothing stays.

#include <sandbox/runtime.h>

#include <iostream>

using namespace std::chrono_literals;

constexpr const char* kProgram = "def double(n):\n    return 2 * n\n";
constexpr const char* kTest = R"(
import unittest

from program import double

class Double(unittest.TestCase):
    def test_number(self):
        self.assertEqual(double(21), 42)

    def test_text(self):
        self.assertEqual(double("ab"), "abab")
)";

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();
  box.files().write_many({{"app/program.py", kProgram}, {"app/test_program.py", kTest}});

  const sandbox::CommandResult tests = box.commands().run(
      "python3 -m unittest -v > report.txt 2>&1", {.cwd = "app", .timeout = 60s});
  std::cout << box.files().read("app/report.txt");
  std::cout << "The tests " << (tests.exit_code() == 0 ? "passed" : "failed") << '\n';

  box.destroy();  // What is left of it ends here; the destructor would do it as well.
  return tests.exit_code();
}
