#include "runtime/template_defaults.h"

#include <string>

namespace sandbox {
namespace {

// "name", "name:group", "1000" or "1000:1000", as images say it. A user whom the template's
// /etc/passwd does not have cannot be meant: then it is ours.
std::string default_user(const TemplateSource& source) {
  const std::string wanted = source.config.user.substr(0, source.config.user.find(':'));
  for (const Account& account : source.accounts.all()) {
    if (wanted == account.name || wanted == std::to_string(account.uid)) return account.name;
  }
  return "user";
}

}  // namespace

SandboxOptions with_template_defaults(SandboxOptions options, const TemplateSource& source) {
  if (options.user.empty()) options.user = default_user(source);
  options.env.insert(source.config.env.begin(), source.config.env.end());
  return options;
}

}  // namespace sandbox
