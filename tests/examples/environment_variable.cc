// Variables for all commands of a sandbox, and for one.

#include <sandbox/runtime.h>

#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create({.env = {{"STAGE", "test"}}});

  const sandbox::Command command{.argv = {"sh", "-c", "echo \"$GREETING, this is $STAGE\""},
                                 .env = {{"GREETING", "Hello"}}};
  std::cout << box.commands().run(command).stdout_text;

  // The next command does not see it; and nothing of the host's environment ever gets in.
  std::cout << box.commands().run({.argv = {"env"}}).stdout_text;
}
