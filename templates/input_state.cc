#include "templates/input_state.h"

#include <sys/stat.h>

#include <string_view>

namespace sandbox {
namespace {

// Databases of dpkg, rpm, apk and pacman; then directories, whose time is that of their entries.
constexpr const char* kHostPaths[] = {"/var/lib/dpkg/status",
                                      "/var/lib/rpm",
                                      "/usr/lib/sysimage/rpm",
                                      "/lib/apk/db/installed",
                                      "/var/lib/pacman/local",
                                      "/usr",
                                      "/usr/bin",
                                      "/usr/lib",
                                      "/usr/local/bin",
                                      "/usr/local/lib"};

std::string time_of(const timespec& time) {
  return std::to_string(time.tv_sec) + '.' + std::to_string(time.tv_nsec);
}

std::string state_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path + " -\n";
  return path + ' ' + std::to_string(status.st_dev) + ' ' + std::to_string(status.st_ino) + ' ' +
         std::to_string(status.st_size) + ' ' + time_of(status.st_mtim) + ' ' +
         time_of(status.st_ctim) + '\n';
}

}  // namespace

std::string host_state() {
  std::string state;
  for (const char* const path : kHostPaths) state += state_of(path);
  return state;
}

std::optional<std::string> source_state(const std::string& source) {
  constexpr std::string_view kTar = "tar:";
  if (source.starts_with("debian:")) return source;
  if (source.starts_with(kTar)) return kTar.data() + state_of(source.substr(kTar.size()));
  return std::nullopt;
}

}  // namespace sandbox
