#include "runtime/record_builder.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include <chrono>
#include <string>
#include <utility>

#include "fs/root_dir.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::map<std::string, CommandUser> command_users(const Accounts& accounts, const IdMap& map) {
  std::map<std::string, CommandUser> users;
  for (const Account& account : accounts.all()) {
    if (!id_outside(map.uids(), account.uid) || !id_outside(map.gids(), account.gid)) continue;
    users.emplace(account.name, CommandUser{.uid = account.uid,
                                            .gid = account.gid,
                                            .groups = accounts.supplementary_groups(account.name),
                                            .home = account.home});
  }
  return users;
}

std::vector<IdNames::Range> to_ranges(const std::vector<IdMapping>& mappings) {
  std::vector<IdNames::Range> ranges;
  ranges.reserve(mappings.size());
  for (const IdMapping& m : mappings) ranges.push_back({m.inside, m.outside, m.count});
  return ranges;
}

IdNames make_names(const Accounts& accounts, const IdMap& map) {
  IdNames names;
  names.uids = to_ranges(map.uids());
  names.gids = to_ranges(map.gids());
  for (const Account& account : accounts.all()) {
    names.users.emplace(account.uid, account.name);
    names.groups.emplace(account.gid, account.name);
  }
  return names;
}

int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

BoxRecord make_record(const SandboxOptions& options, const TemplateSource& source,
                      const IdPlan& ids) {
  BoxRecord record;
  record.name = options.name;
  record.template_name = options.template_name;
  record.metadata = options.metadata;
  record.created_ms = now_ms();
  record.default_user = options.user;
  record.env = options.env;
  record.ttl_action = options.ttl_action;
  record.default_cwd = source.config.workdir;
  record.users = command_users(source.accounts, ids.map);
  record.names = make_names(source.accounts, ids.map);
  return record;
}

std::vector<uint64_t> find_volumes(int root, const RootRequest& request) {
  std::vector<std::string> paths{"/dev/shm"};
  for (const ReadOnlyTree& tree : request.read_only_trees) paths.push_back(tree.target);
  for (const BindMount& bind : request.binds) paths.push_back(bind.target);
  std::vector<uint64_t> volumes;
  volumes.reserve(paths.size());
  for (const std::string& path : paths) {
    const int fd = openat2(root, path.c_str(), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    const UniqueFd volume{check(fd, "openat2", path)};
    volumes.push_back(status_of(volume.get(), path).stx_mnt_id);
  }
  return volumes;
}

}  // namespace sandbox
