#include "fs/overlay_mount.h"

#include <linux/mount.h>
#include <unistd.h>

#include <string>

#include "fs/mount_api.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// fsconfig(2) takes values up to 255 bytes: some sixty layers with descriptor numbers of three
// digits.
std::string join_layers(std::span<const UniqueFd> lowerdirs) {
  std::string text;
  for (const UniqueFd& layer : lowerdirs) {
    if (!text.empty()) text += ':';
    text += std::to_string(layer.get());
  }
  return text;
}

FsContext open_overlay(std::span<const UniqueFd> lowerdirs) {
  FsContext overlay("overlay");
  overlay.set("source", "sandbox");
  overlay.set("lowerdir", join_layers(lowerdirs));
  overlay.set_flag("userxattr");
  // With "auto" the kernel logs a line or two for each mount, on the host (measured on 6.18).
  overlay.set("xino", "off");
  return overlay;
}

}  // namespace

UniqueFd mount_overlay(std::span<const UniqueFd> lowerdirs, int upperdir, int workdir,
                       Syncing syncing) {
  FsContext overlay = open_overlay(lowerdirs);
  overlay.set("upperdir", std::to_string(upperdir));
  overlay.set("workdir", std::to_string(workdir));
  if (syncing == Syncing::Never) overlay.set_flag("volatile");
  return overlay.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

UniqueFd mount_read_only_overlay(std::span<const UniqueFd> lowerdirs) {
  FsContext overlay = open_overlay(lowerdirs);
  return overlay.mount(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

ProcFdCwd::ProcFdCwd() { check(::chdir("/proc/self/fd"), "chdir", "/proc/self/fd"); }

ProcFdCwd::~ProcFdCwd() {
  // Cannot fail: "/" is always searchable by a process that could open /proc/self/fd.
  [[maybe_unused]] const int result = ::chdir("/");
}

}  // namespace sandbox
