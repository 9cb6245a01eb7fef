// A file of the host, this program itself, goes in byte by byte; a command inside reads it.

#include <sandbox/runtime.h>

#include <filesystem>
#include <iostream>

int main() {
  const std::filesystem::path program = std::filesystem::canonical("/proc/self/exe");

  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();
  const sandbox::TransferResult sent = box.files().upload(program, "/home/user/data.bin");
  std::cout << "Sent " << sent.files << " file, " << sent.bytes << " bytes\n";

  const auto found = box.files().stat("/home/user/data.bin");
  std::cout << "Same size inside: " << (found->size == std::filesystem::file_size(program)) << '\n';
  std::cout << "Lines inside: " << box.commands().run("wc -l < data.bin").stdout_text;
}
