#include "templates/accounts.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

namespace sandbox {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::optional<uint32_t> to_id(std::string_view text) {
  uint32_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  // (uid_t)-1 means "leave unchanged" to setresuid(2).
  const bool whole = error == std::errc{} && stop == end;
  if (!whole || id == std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return id;
}

bool is_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_of(std::string_view("/\0\n:", 4)) == std::string_view::npos;
}

bool is_home(std::string_view home) {
  return home.starts_with('/') && home.find('\0') == std::string_view::npos;
}

std::string with_newline(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result.back() != '\n') result += '\n';
  return result;
}

}  // namespace

std::optional<Account> Accounts::parse_account(std::string_view line) {
  const std::vector<std::string_view> field = split(line, ':');
  if (field.size() != 7) return std::nullopt;
  const auto uid = to_id(field[2]);
  const auto gid = to_id(field[3]);
  if (!uid || !gid || !is_name(field[0]) || !is_home(field[5])) return std::nullopt;
  return Account{std::string(field[0]), *uid, *gid, std::string(field[5])};
}

std::optional<Accounts::Group> Accounts::parse_group(std::string_view line) {
  const std::vector<std::string_view> field = split(line, ':');
  if (field.size() != 4) return std::nullopt;
  const auto gid = to_id(field[2]);
  if (!gid || !is_name(field[0])) return std::nullopt;
  Group group{std::string(field[0]), *gid, {}};
  for (const std::string_view member : split(field[3], ',')) group.members.emplace_back(member);
  return group;
}

Accounts::Accounts(std::string_view passwd, std::string_view group)
    : passwd_(with_newline(passwd)), group_(with_newline(group)) {
  for (const std::string_view line : split(passwd, '\n')) {
    const auto account = parse_account(line);
    if (account && !find(account->name)) accounts_.push_back(*account);
  }
  for (const std::string_view line : split(group, '\n')) {
    const auto parsed = parse_group(line);
    if (parsed && !has_group(parsed->name)) groups_.push_back(*parsed);
  }
  add({"user", 1000, 1000, "/home/user"}, "/bin/bash");
  add({"root", 0, 0, "/root"}, "/bin/bash");
}

// In front, so that whoever asks for the name of the id finds it first.
void Accounts::add(const Account& account, std::string_view shell) {
  if (find(account.name)) return;
  const std::string ids = std::to_string(account.uid) + ':' + std::to_string(account.gid);
  passwd_.insert(
      0, account.name + ":x:" + ids + "::" + account.home + ':' + std::string(shell) + '\n');
  accounts_.insert(accounts_.begin(), account);
  if (has_group(account.name)) return;
  group_.insert(0, account.name + ":x:" + std::to_string(account.gid) + ":\n");
  groups_.insert(groups_.begin(), Group{account.name, account.gid, {}});
}

std::optional<Account> Accounts::find(std::string_view name) const {
  const auto at = std::find_if(accounts_.begin(), accounts_.end(),
                               [name](const Account& account) { return account.name == name; });
  return at == accounts_.end() ? std::nullopt : std::optional(*at);
}

bool Accounts::has_group(std::string_view name) const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [name](const Group& group) { return group.name == name; });
}

std::vector<gid_t> Accounts::supplementary_groups(std::string_view name) const {
  std::vector<gid_t> ids;
  for (const Group& group : groups_) {
    const auto& members = group.members;
    if (std::find(members.begin(), members.end(), name) != members.end()) ids.push_back(group.gid);
  }
  return ids;
}

}  // namespace sandbox
