#include "runtime/sandboxctl/limit_options.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

int64_t size_of(const char* option, const std::string& text) {
  if (const std::optional<int64_t> size = parse_size(text)) return *size;
  throw usage_error(std::string(option) + ' ' + text,
                    "not a whole number of bytes, K, M, G or T above zero, such as 512M",
                    "for one and a half G write 1536M");
}

template <typename T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int64_t count_of(const char* option, const std::string& text) {
  if (const auto count = number_of<int64_t>(text); count && *count > 0) return *count;
  throw usage_error(std::string(option) + ' ' + text, "not a whole number above zero");
}

double processors_of(const char* option, const std::string& text) {
  if (const auto cpus = number_of<double>(text); cpus && *cpus > 0) return *cpus;
  throw usage_error(std::string(option) + ' ' + text,
                    "not a number of processors above zero, such as 0.5 or 2");
}

}  // namespace

void LimitOptions::add_to(CLI::App& app) {
  add_value(app, "--memory", memory, "all memory of the sandbox, such as 512M or 2G");
  add_value(app, "--pids", pids, "processes and threads at a time");
  add_value(app, "--cpus", cpus, "processors, such as 0.5 or 2");
  add_value(app, "--disk", disk, "what it may write (in memory, from Linux 6.6 on)");
  add_value(app, "--memory-high", memory_high, "slow it down from here on, such as 448M");
  add_value(app, "--cpu-weight", cpu_weight,
            "its share when processors are short; others have 100");
  add_value(app, "--disk-read-rate", disk_read_rate, "bytes a second it may read from the disk");
  add_value(app, "--disk-write-rate", disk_write_rate, "bytes a second it may write to the disk");
  add_value(app, "--open-files", open_files, "files that each process may have open");
  add_value(app, "--file-size", file_size, "how large each file may become, such as 10M");
}

sandbox::Limits LimitOptions::parse(const CLI::App& app) const {
  sandbox::Limits limits;
  if (app.count("--memory") > 0) limits.memory_bytes = size_of("--memory", memory);
  if (app.count("--pids") > 0) limits.pids = count_of("--pids", pids);
  if (app.count("--cpus") > 0) limits.cpus = processors_of("--cpus", cpus);
  if (app.count("--disk") > 0) limits.disk_bytes = size_of("--disk", disk);
  if (app.count("--memory-high") > 0) {
    limits.memory_high_bytes = size_of("--memory-high", memory_high);
  }
  if (app.count("--cpu-weight") > 0) limits.cpu_weight = count_of("--cpu-weight", cpu_weight);
  if (app.count("--disk-read-rate") > 0) {
    limits.disk_read_rate = size_of("--disk-read-rate", disk_read_rate);
  }
  if (app.count("--disk-write-rate") > 0) {
    limits.disk_write_rate = size_of("--disk-write-rate", disk_write_rate);
  }
  if (app.count("--open-files") > 0) limits.open_files = count_of("--open-files", open_files);
  if (app.count("--file-size") > 0) limits.file_bytes = size_of("--file-size", file_size);
  return limits;
}

}  // namespace sandboxctl
