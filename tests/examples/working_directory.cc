// Where a command runs.

#include <sandbox/runtime.h>

#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  std::cout << box.commands().run("pwd").stdout_text;  // The home directory.
  box.files().make_dir("project/src");
  std::cout << box.commands().run("pwd", {.cwd = "project/src"}).stdout_text;
  std::cout << box.commands().run("pwd", {.cwd = "/tmp"}).stdout_text;
}
