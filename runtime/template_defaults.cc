#include "runtime/template_defaults.h"

#include <cerrno>
#include <string>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// "name", "name:group", "1000" or "1000:1000", as images say it.
std::string default_user(const TemplateSource& source) {
  const std::string wanted = source.config.user.substr(0, source.config.user.find(':'));
  if (wanted.empty()) return "user";
  for (const Account& account : source.accounts.all()) {
    if (wanted == account.name || wanted == std::to_string(account.uid)) return account.name;
  }
  throw Error(EINVAL, "find user", wanted,
              "the template names this user, and its /etc/passwd does not have it; name another "
              "one: `user` of a manifest, --user");
}

}  // namespace

SandboxOptions with_template_defaults(SandboxOptions options, const TemplateSource& source) {
  if (options.user.empty()) options.user = default_user(source);
  options.env.insert(source.config.env.begin(), source.config.env.end());
  if (options.with_template_limits) {
    options.limits = limits_or(options.limits, source.config.limits);
  }
  return options;
}

}  // namespace sandbox
