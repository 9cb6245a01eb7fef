#include "fs/pending_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <utility>

#include "fs/acting.h"
#include "fs/fs_identity.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Not derived from the target's name, which may have all of the 255 bytes a name can have.
std::string hidden_name() {
  uint64_t number = 0;
  check(::getrandom(&number, sizeof number, 0), "getrandom");
  char name[40];
  std::snprintf(name, sizeof name, ".sandbox-%016llx", static_cast<unsigned long long>(number));
  return name;
}

}  // namespace

PendingFile::PendingFile(ParentAndName target, std::optional<FileOwner> owner)
    : replacement_({std::move(target), std::move(owner), hidden_name()}) {
  const char* name = replacement_->hidden_name.c_str();
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
  const int dir = replacement_->target.parent.fd.get();
  fd_ = acting::open(dir, name, kFlags, RESOLVE_NO_MAGICLINKS, 0600);
  check(fd_.get(), "openat2", replacement_->target.name);
}

PendingFile::~PendingFile() {
  if (!fd_ || !replacement_) return;
  try {
    const MaybeIdentity as_owner(replacement_->owner ? &*replacement_->owner : nullptr);
    acting::unlink(replacement_->target.parent.fd.get(), replacement_->hidden_name.c_str(), 0);
  } catch (const Error&) {
    return;  // We could act for the owner when we made it; there is nobody to tell now.
  }
}

void PendingFile::commit() {
  if (!replacement_) return;
  const MaybeIdentity as_owner(replacement_->owner ? &*replacement_->owner : nullptr);
  const ParentAndName& target = replacement_->target;
  const int dir = target.parent.fd.get();
  const char* from = replacement_->hidden_name.c_str();
  check(acting::rename(dir, from, dir, target.name.c_str()), "renameat", target.name);
  replacement_.reset();
}

}  // namespace sandbox
