// Sees three files being created, in a directory that is made after the watch has begun.

#include <sandbox/runtime.h>
#include <sandbox/text.h>
#include <sandbox/watcher.h>

#include <iostream>

using namespace std::chrono_literals;

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  sandbox::Watcher watcher = box.files().watch("/home/user", {.recursive = true});
  sandbox::Process job = box.commands().start(
      {.argv = {"sh", "-c", "mkdir results; for n in 1 2 3; do echo $n > results/$n.txt; done"}});

  for (int created = 0; created < 3;) {
    const auto event = watcher.next(10s);
    if (!event) return 1;  // Nothing for ten seconds.
    if (event->type != sandbox::WatchEventType::Create) continue;
    std::cout << "Created: " << sandbox::escape_for_terminal(event->name) << '\n';
    if (event->name.ends_with(".txt")) ++created;
  }
  std::cout << to_string(job.wait()) << '\n';
}
