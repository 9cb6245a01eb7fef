#include "fs/file_owner.h"

namespace sandbox {
namespace {

constexpr uint32_t kOverflowId = 65534;

uint32_t inside_id(const std::vector<IdNames::Range>& ranges, uint32_t outside) {
  for (const IdNames::Range& range : ranges) {
    if (outside - range.outside < range.count) return range.inside + (outside - range.outside);
  }
  return kOverflowId;
}

std::string name_of(const std::map<uint32_t, std::string>& names, uint32_t id) {
  const auto found = names.find(id);
  return found == names.end() ? std::to_string(id) : found->second;
}

}  // namespace

std::string IdNames::user(uid_t host_uid) const {
  return name_of(users, inside_id(uids, host_uid));
}

std::string IdNames::group(gid_t host_gid) const {
  return name_of(groups, inside_id(gids, host_gid));
}

}  // namespace sandbox
