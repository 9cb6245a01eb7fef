#include <sandbox/runtime.h>

#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create({.template_name = "host"});

  box.files().write("/home/user/main.py", "print(sum(range(101)))\n");
  sandbox::Process job = box.commands().start({.argv = {"python3", "main.py"}});
  job.stream([](sandbox::Stream, std::string_view chunk) { std::cout << chunk; });
  const sandbox::Outcome end = job.wait();  // A value: exited, signaled, timed out.

  std::cout << to_string(end) << '\n';
  std::cout << box.commands().run("id -un; ls -l").stdout_text;  // A line of shell.
}
