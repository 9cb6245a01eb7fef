// A table of results: made by a program inside, downloaded to a file of the host.

#include <sandbox/runtime.h>

#include <fstream>
#include <iostream>

constexpr const char* kProgram = R"(
import csv

with open("results.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["n", "square"])
    table.writerows([n, n * n] for n in range(1, 11))
)";

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();
  box.files().write("analyse.py", kProgram);
  box.commands().run({.argv = {"python3", "analyse.py"}});

  box.files().download("results.csv", "./results.csv");
  std::cout << std::ifstream("./results.csv").rdbuf();
}
