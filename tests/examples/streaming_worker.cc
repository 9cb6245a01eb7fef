// A worker's output as it comes, its progress and its complaints apart.

#include <sandbox/runtime.h>

#include <iostream>

constexpr const char* kWorker = R"(
import sys, time

for step in range(1, 6):
    print(f"step {step} of 5", flush=True)
    if step == 3:
        print("step 3 was slow", file=sys.stderr, flush=True)
    time.sleep(0.1)
)";

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();
  box.files().write("worker.py", kWorker);

  sandbox::Process worker = box.commands().start({.argv = {"python3", "worker.py"}});
  worker.stream([](sandbox::Stream from, std::string_view chunk) {
    // A piece of what was written: it may hold several lines, or a part of one.
    std::cout << (from == sandbox::Stream::Stdout ? "out: " : "err: ") << chunk << std::flush;
  });

  const sandbox::Outcome end = worker.wait();
  std::cout << to_string(end) << " after " << worker.usage().wall.count() << " us\n";
}
