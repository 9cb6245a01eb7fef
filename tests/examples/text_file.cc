// A text file: written from outside, changed inside, read back.

#include <sandbox/runtime.h>

#include <iostream>

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();

  box.files().write("notes.txt", "Hello from outside\n");  // Below /home/user; parents are made.
  box.commands().run("echo 'Hello from inside' >> notes.txt");
  std::cout << box.files().read("notes.txt");
}
