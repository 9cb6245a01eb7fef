#include "runtime/sandboxctl/limit_options.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
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

// A limit that is a whole number.
struct LimitOption {
  const char* name;
  std::optional<int64_t> sandbox::Limits::*value;
  int64_t (*parse)(const char* option, const std::string& text);
  const char* help;
};

using sandbox::Limits;
constexpr const char* kCpus = "--cpus";
constexpr LimitOption kOptions[LimitOptions::kWholeNumbers] = {
    {"--memory", &Limits::memory_bytes, size_of, "all memory of the sandbox, such as 512M or 2G"},
    {"--memory-high", &Limits::memory_high_bytes, size_of,
     "slow it down from here on, such as 448M"},
    {"--pids", &Limits::pids, count_of, "processes and threads at a time"},
    {"--cpu-weight", &Limits::cpu_weight, count_of,
     "its share when processors are short; others have 100"},
    {"--disk", &Limits::disk_bytes, size_of, "what it may write (in memory, from Linux 6.6 on)"},
    {"--disk-read-rate", &Limits::disk_read_rate, size_of,
     "bytes a second it may read from the disk"},
    {"--disk-write-rate", &Limits::disk_write_rate, size_of,
     "bytes a second it may write to the disk"},
    {"--open-files", &Limits::open_files, count_of, "files that each process may have open"},
    {"--file-size", &Limits::file_bytes, size_of, "how large each file may become, such as 10M"}};

// "--memory-high" is "memory_high" in manifests and documents.
std::string key_of(const LimitOption& option) {
  std::string key = option.name + 2;
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

}  // namespace

void LimitOptions::add_to(CLI::App& app) {
  for (size_t i = 0; i < kWholeNumbers; ++i) {
    add_value(app, kOptions[i].name, whole_numbers_[i], kOptions[i].help);
  }
  add_value(app, kCpus, cpus_, "processors, such as 0.5 or 2");
}

Limits LimitOptions::parse(const CLI::App& app) const {
  Limits limits;
  for (size_t i = 0; i < kWholeNumbers; ++i) {
    const LimitOption& option = kOptions[i];
    if (app.count(option.name) == 0) continue;
    limits.*option.value = option.parse(option.name, whole_numbers_[i]);
  }
  if (app.count(kCpus) > 0) limits.cpus = processors_of(kCpus, cpus_);
  return limits;
}

nlohmann::ordered_json limits_fields(const Limits& limits) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  for (const LimitOption& option : kOptions) {
    if (const auto& value = limits.*option.value) fields[key_of(option)] = *value;
  }
  if (limits.cpus) fields["cpus"] = *limits.cpus;
  return fields;
}

}  // namespace sandboxctl
