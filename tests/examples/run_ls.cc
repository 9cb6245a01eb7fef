// A line of shell, with its output and exit code.

#include <sandbox/runtime.h>

#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  const sandbox::CommandResult result = box.commands().run("touch .hidden visible; ls -la");
  std::cout << result.stdout_text << "Exit code: " << result.exit_code() << '\n';

  const sandbox::CommandResult failed = box.commands().run("ls -la /nosuch");
  std::cout << failed.stderr_text << "Exit code: " << failed.exit_code() << '\n';
}
