#include "tests/bench/memory_use.h"

#include <fstream>
#include <string>

namespace sandbox::bench {
namespace {

// The value of a line `Name:   123 kB`.
std::optional<uint64_t> find_bytes(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(name + ":", 0) == 0) return std::stoull(line.substr(name.size() + 1)) * 1024;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> proportional_set_bytes(pid_t pid) {
  return find_bytes("/proc/" + std::to_string(pid) + "/smaps_rollup", "Pss");
}

uint64_t kernel_memory_bytes() {
  uint64_t total = 0;
  for (const char* name : {"Slab", "PageTables", "KernelStack", "Percpu"}) {
    total += find_bytes("/proc/meminfo", name).value_or(0);
  }
  return total;
}

uint64_t available_memory_bytes() {
  return find_bytes("/proc/meminfo", "MemAvailable").value_or(0);
}

}  // namespace sandbox::bench
