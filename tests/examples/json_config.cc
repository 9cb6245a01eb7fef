// A configuration as JSON: written from outside, changed by a program inside, read back.

#include <sandbox/runtime.h>

#include <iostream>
#include <nlohmann/json.hpp>

constexpr const char* kProgram = R"(
import json

with open("config.json") as file:
    config = json.load(file)
config["workers"] *= 2
config["seen_by"] = "python"
with open("config.json", "w") as file:
    json.dump(config, file)
)";

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  const nlohmann::json config{{"name", "demo"}, {"workers", 4}, {"debug", false}};
  box.files().write("config.json", config.dump());
  box.files().write("change.py", kProgram);
  box.commands().run({.argv = {"python3", "change.py"}});

  // What comes out of a sandbox may be anything: parse() throws when it is no JSON.
  std::cout << nlohmann::json::parse(box.files().read("config.json")).dump() << '\n';
}
