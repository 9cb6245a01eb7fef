#include "fs/dir_stack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "fs/acting.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_self_or_parent(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace

DirNames::DirNames(int dir, Order order, uint64_t limit) {
  constexpr size_t kBuffer = 64 << 10;
  const auto buffer = std::make_unique<char[]>(kBuffer);
  check(::lseek(dir, 0, SEEK_SET), "lseek");
  for (;;) {
    const auto length = ::syscall(SYS_getdents64, dir, buffer.get(), kBuffer);
    if (length == 0 || (length < 0 && errno == ENOENT)) break;  // ENOENT: removed meanwhile.
    check(length, "getdents64");
    for (const char* at = buffer.get(); at < buffer.get() + length;) {
      const auto* entry = reinterpret_cast<const dirent64*>(at);
      at += entry->d_reclen;
      if (is_self_or_parent(entry->d_name)) continue;
      offsets_.push_back(static_cast<uint32_t>(text_.size()));
      text_.append(entry->d_name).push_back('\0');
    }
    if (offsets_.size() > limit || text_.size() > UINT32_MAX) {
      throw Error(E2BIG, "getdents64", "", "the directory has more entries than the limit");
    }
  }
  if (order == Order::Lexical) {
    std::sort(offsets_.begin(), offsets_.end(), [this](uint32_t a, uint32_t b) {
      return std::strcmp(&text_[a], &text_[b]) < 0;  // By unsigned bytes: strcmp(3).
    });
  }
}

UniqueFd DirStack::open(const char* name) const {
  uint64_t resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;
  if (mounts_ == Mounts::Stay) resolve |= RESOLVE_NO_XDEV;
  return acting::open(fd(), name, kDirectory, resolve);
}

void DirStack::push(UniqueFd directory) {
  struct stat status = {};
  check(::fstat(directory.get(), &status), "fstat");
  frames_.push_back({std::move(directory), status.st_dev, status.st_ino});
  if (frames_.size() > kOpenFrames) frames_[frames_.size() - kOpenFrames].fd.reset();
}

void DirStack::pop() {
  UniqueFd below = std::move(frames_.back().fd);
  frames_.pop_back();
  Frame& frame = frames_.back();
  if (frame.fd) return;
  UniqueFd parent = acting::open(below.get(), "..", kDirectory, RESOLVE_NO_MAGICLINKS);
  check(parent.get(), "openat2", "..");
  struct stat status = {};
  check(::fstat(parent.get(), &status), "fstat", "..");
  if (status.st_dev != frame.device || status.st_ino != frame.inode) {
    throw Error(ESTALE, "openat2", "..", "the tree was rearranged meanwhile; try again");
  }
  frame.fd = std::move(parent);
}

}  // namespace sandbox
