#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

std::string make_directory() {
  std::string name = fs::temp_directory_path() / "sandbox-test.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw Error(errno, "mkdtemp", name);
  // Sandboxes of root run as somebody else, who must be able to pass.
  check(::chmod(name.c_str(), 0711), "chmod", name);
  return name;
}

// Overlay work directories have mode 000, and an ordinary user cannot look into those.
void unlock_directories(const fs::path& directory) {
  ::chmod(directory.c_str(), S_IRWXU);
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (fs::is_directory(entry.symlink_status())) unlock_directories(entry.path());
  }
}

}  // namespace

TempDir::TempDir() : root_(make_directory()) {}

TempDir::TempDir(TempDir&& other) noexcept : root_(std::exchange(other.root_, {})) {}

TempDir TempDir::with(const std::map<std::string, std::string>& files) {
  TempDir dir;
  for (const auto& [relative, content] : files) dir.write(relative, content);
  return dir;
}

TempDir::~TempDir() {
  if (root_.empty()) return;
  try {
    unlock_directories(root_);
    fs::remove_all(root_);
  } catch (const fs::filesystem_error& error) {
    ADD_FAILURE() << "cannot remove " << root_ << ": " << error.what();
  }
}

std::string TempDir::path(std::string_view relative) const {
  return relative.empty() ? root_ : root_ + '/' + std::string(relative);
}

void TempDir::write(std::string_view relative, std::string_view content) const {
  const std::string full = path(relative);
  if (relative.ends_with('/')) {
    fs::create_directories(full);
    return;
  }
  fs::create_directories(fs::path(full).parent_path());
  const UniqueFd fd{
      check(::open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "open", full)};
  while (!content.empty()) {
    content.remove_prefix(static_cast<size_t>(
        check(::write(fd.get(), content.data(), content.size()), "write", full)));
  }
}

std::string TempDir::read(std::string_view relative) const {
  const std::string full = path(relative);
  const UniqueFd fd{check(::open(full.c_str(), O_RDONLY | O_CLOEXEC), "open", full)};
  std::string content;
  char block[4096];
  while (const ssize_t n = check(::read(fd.get(), block, sizeof block), "read", full)) {
    content.append(block, static_cast<size_t>(n));
  }
  return content;
}

bool TempDir::exists(std::string_view relative) const {
  return fs::exists(fs::symlink_status(path(relative)));
}

}  // namespace sandbox::test
