#include "tests/bench/oci_bundle.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "sandbox/error.h"

namespace sandbox::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path make_directory() {
  std::string pattern = (fs::temp_directory_path() / "sandbox-bundle-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw Error(errno, "mkdtemp", pattern);
  fs::permissions(pattern, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  return pattern;
}

json bind_mount(const std::string& path) {
  return {{"destination", path},
          {"type", "none"},
          {"source", path},
          {"options", {"rbind", "ro", "nosuid", "nodev"}}};
}

json kernel_mount(const std::string& target, const std::string& type,
                  const std::vector<std::string>& options) {
  return {{"destination", target}, {"type", type}, {"source", type}, {"options", options}};
}

// /usr and what leads to the loader: links where /usr is merged, else directories.
json mount_system(const fs::path& rootfs) {
  json mounts = json::array();
  for (const char* name : {"usr", "bin", "lib", "lib64"}) {
    const fs::path original = fs::path("/") / name;
    if (fs::is_symlink(original)) {
      fs::copy_symlink(original, rootfs / name);
    } else if (fs::is_directory(original)) {
      fs::create_directory(rootfs / name);
      mounts.push_back(bind_mount(original.string()));
    }
  }
  mounts.push_back(kernel_mount("/proc", "proc", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(kernel_mount("/dev", "tmpfs", {"nosuid", "mode=755", "size=64k"}));
  return mounts;
}

json namespaces() {
  json list = json::array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"}) {
    list.push_back({{"type", type}});
  }
  if (::geteuid() != 0) list.push_back({{"type", "user"}});
  return list;
}

json id_mapping(unsigned id) {
  return json::array({{{"containerID", 0}, {"hostID", id}, {"size", 1}}});
}

json make_config(const fs::path& rootfs) {
  json config{{"ociVersion", "1.0.2"},
              {"hostname", "bench"},
              {"root", {{"path", "rootfs"}, {"readonly", true}}},
              {"mounts", mount_system(rootfs)},
              {"linux", {{"namespaces", namespaces()}}}};
  config["process"] = {{"terminal", false},
                       {"user", {{"uid", 0}, {"gid", 0}}},
                       {"args", {"/bin/true"}},
                       {"env", {"PATH=/usr/bin:/bin"}},
                       {"cwd", "/"},
                       {"noNewPrivileges", true}};
  if (::geteuid() != 0) {
    config["linux"]["uidMappings"] = id_mapping(::geteuid());
    config["linux"]["gidMappings"] = id_mapping(::getegid());
  }
  return config;
}

}  // namespace

OciBundle::OciBundle() : root_(make_directory()) {
  for (const char* name : {"rootfs", "rootfs/proc", "rootfs/dev", "state"}) {
    fs::create_directory(root_ / name);
  }
  std::ofstream(root_ / "config.json") << make_config(root_ / "rootfs").dump(2);
}

OciBundle::~OciBundle() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

}  // namespace sandbox::bench
