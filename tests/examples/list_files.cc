// What is in a directory, with sizes.

#include <sandbox/runtime.h>
#include <sandbox/text.h>

#include <iomanip>
#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  box.files().write("project/README.md", "# Demo\n");
  box.files().write("project/src/main.py", "print('hello')\n");
  box.files().write("project/data.bin", std::string(4096, '\0'));

  for (const sandbox::EntryInfo& entry : box.files().list("project", {.depth = 2})) {
    const bool directory = entry.type == sandbox::EntryType::Directory;
    // A sandbox chooses the names of its files: on a terminal they are to be escaped.
    std::cout << entry.permissions << std::setw(7) << entry.size << "  "
              << sandbox::escape_for_terminal(entry.path) << (directory ? "/" : "") << '\n';
  }
}
