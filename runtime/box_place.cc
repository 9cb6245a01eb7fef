#include "runtime/box_place.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "fs/remove_tree.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/open_directory.h"
#include "runtime/box_connection.h"
#include "runtime/own_directory.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kNewRecord = "sandbox.json.new";

}  // namespace

std::string make_sandbox_id() {
  std::array<unsigned char, 6> bytes{};
  check(::getrandom(bytes.data(), bytes.size(), 0), "getrandom");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

BoxPlace::BoxPlace(std::string run_path, std::string id, std::string name, UniqueFd lock)
    : run_path_(std::move(run_path)),
      id_(std::move(id)),
      name_(std::move(name)),
      path_(run_path_ + '/' + id_),
      lock_(std::move(lock)),
      socket_(bind_control_socket(lock_.get())) {}

BoxPlace::~BoxPlace() {
  if (!lock_) return;
  try {
    if (!name_.empty()) remove_name(run_path_, name_, id_);
    remove_tree(open_directory(run_path_).get(), id_);
  } catch (const std::exception&) {
    // What is left is unlocked in a moment, and the next collection takes it.
  }
}

// Not synced: a record that a crash of the machine takes with it is of a sandbox that is gone too.
void BoxPlace::write(const BoxRecord& record) const {
  const std::string json = record.to_json();
  const UniqueFd file{check(
      ::openat(lock_.get(), kNewRecord, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
      "open", kNewRecord)};
  write_all(file.get(), std::as_bytes(std::span(json)), kRecord);
  check(::renameat(lock_.get(), kNewRecord, lock_.get(), kRecord), "rename", kRecord);
}

void BoxPlace::keep() noexcept {
  lock_.reset();
  socket_.reset();
}

void remove_name(const std::string& run_path, const std::string& name, const std::string& id) {
  const std::string link = run_path + '/' + kNames + '/' + name;
  std::error_code ignored;
  if (std::filesystem::read_symlink(link, ignored) == id) ::unlink(link.c_str());
}

}  // namespace sandbox
