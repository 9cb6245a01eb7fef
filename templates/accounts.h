#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// Bytes of a template's passwd or group file; a larger one is not read.
inline constexpr std::size_t kLargestAccountFile = 1 << 20;

/// A line of passwd(5).
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

/// The users and groups of a template, from its own passwd(5) and group(5).
///
/// The files come from whoever wrote the template: lines that are not exactly right are passed over
/// and never half understood (CVE-2026-30892 ran as the wrong user), the first of two equal names
/// counts, as it does for getpwnam(3). `root` and `user` (1000, /home/user) are added when missing.
class Accounts {
 public:
  Accounts(std::string_view passwd, std::string_view group);

  std::optional<Account> find(std::string_view name) const;
  const std::vector<Account>& all() const noexcept { return accounts_; }
  /// Groups that list `name` as a member.
  std::vector<gid_t> supplementary_groups(std::string_view name) const;

  /// What /etc/passwd and /etc/group of the sandbox hold.
  const std::string& passwd_file() const noexcept { return passwd_; }
  const std::string& group_file() const noexcept { return group_; }

 private:
  struct Group {
    std::string name;
    gid_t gid = 0;
    std::vector<std::string> members;
  };
  static std::optional<Account> parse_account(std::string_view line);
  static std::optional<Group> parse_group(std::string_view line);
  bool has_group(std::string_view name) const;
  void add(const Account& account, std::string_view shell);

  std::string passwd_;
  std::string group_;
  std::vector<Account> accounts_;
  std::vector<Group> groups_;
};

}  // namespace sandbox
