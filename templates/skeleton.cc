#include "templates/skeleton.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <span>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

void write_file(int target, const std::string& path, const std::string& content, mode_t mode) {
  const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd file{check(::openat(target, path.c_str(), flags, mode), "openat", path)};
  write_all(file.get(), std::as_bytes(std::span(content)), path);
  check(::fchmod(file.get(), mode), "fchmod", path);
}

}  // namespace

Skeleton::Skeleton() {
  for (const char* path : {"dev", "etc", "home", "proc", "run", "sys", "usr", "var"}) {
    add_directory(path);
  }
  add_directory("home/user");
  add_directory("root", 0700);
  add_directory("tmp", 01777);
  add_directory("var/tmp", 01777);
}

Skeleton Skeleton::empty() {
  Skeleton nothing;
  nothing.entries_.clear();
  return nothing;
}

void Skeleton::add_directory(const std::string& path, mode_t mode) {
  entries_.push_back({Kind::Directory, path, {}, mode});
}

void Skeleton::add_file(const std::string& path, std::string content, mode_t mode) {
  entries_.push_back({Kind::File, path, std::move(content), mode});
}

void Skeleton::add_symlink(const std::string& path, const std::string& target) {
  entries_.push_back({Kind::Symlink, path, target, 0});
}

uint64_t Skeleton::digest() const {
  Fingerprint digest;
  for (const Entry& entry : entries_) {
    digest.add(static_cast<uint64_t>(entry.kind));
    digest.add(entry.path);
    digest.add(entry.content);
    digest.add(static_cast<uint64_t>(entry.mode));
  }
  return digest.value();
}

void Skeleton::write(int target) const {
  for (const Entry& entry : entries_) {
    const char* const path = entry.path.c_str();
    switch (entry.kind) {
      case Kind::Directory:
        check(::mkdirat(target, path, 0700), "mkdirat", entry.path);
        check(::fchmodat(target, path, entry.mode, 0), "fchmodat", entry.path);
        break;
      case Kind::File:
        write_file(target, entry.path, entry.content, entry.mode);
        break;
      case Kind::Symlink:
        check(::symlinkat(entry.content.c_str(), target, path), "symlinkat", entry.path);
        break;
    }
  }
}

void Fingerprint::add(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    value_ = (value_ ^ bytes[i]) * 0x100000001b3;
  }
}

// With the length, or "ab" and "c" would be "a" and "bc".
void Fingerprint::add(const std::string& text) {
  add(static_cast<uint64_t>(text.size()));
  add(text.data(), text.size());
}

}  // namespace sandbox
