#include "templates/template_source.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::string_view kDirectoryPrefix = "dir:";
constexpr std::string_view kStoredPrefix = "template:";

constexpr std::string_view kHosts =
    "127.0.0.1\tlocalhost sandbox\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n";

// getpwnam(3) and getaddrinfo(3) read files, and ask DNS where there is a network.
constexpr std::string_view kNameServices =
    "passwd: files\n"
    "group: files\n"
    "shadow: files\n"
    "hosts: files dns\n"
    "services: files\n"
    "protocols: files\n";

std::string resolver_configuration(NameService names) {
  if (names == NameService::None) return "# This sandbox has no network.\n";
  try {
    return read_kernel_file(AT_FDCWD, "/etc/resolv.conf");
  } catch (const Error& error) {
    if (error.code().value() != ENOENT) throw;
    return "# The host has no /etc/resolv.conf.\n";
  }
}

}  // namespace

TemplateSource find_template(const std::string& name, NameService names,
                             const TemplateStore& store) {
  if (name == "host") return host_template(names);
  if (name.starts_with(kDirectoryPrefix)) {
    return directory_template(name.substr(kDirectoryPrefix.size()), names);
  }
  const std::string stored =
      name.starts_with(kStoredPrefix) ? name.substr(kStoredPrefix.size()) : name;
  if (std::optional<StoredTemplate> found = store.find(stored)) {
    TemplateSource source = stored_template(found->record, names, store);
    source.in_use = std::make_shared<const UniqueFd>(std::move(found->lock));
    return source;
  }
  throw Error(
      ENOENT, "find template", name,
      "known are `host`, `dir:PATH`, an unpacked root file system, and those of `sandboxctl "
      "template list`");
}

void add_generated_files(Skeleton& skeleton, const Accounts& accounts, NameService names) {
  skeleton.add_file("etc/passwd", accounts.passwd_file());
  skeleton.add_file("etc/group", accounts.group_file());
  skeleton.add_file("etc/hosts", std::string(kHosts));
  skeleton.add_file("etc/hostname", "sandbox\n");
  skeleton.add_file("etc/resolv.conf", resolver_configuration(names));
  skeleton.add_file("etc/nsswitch.conf", std::string(kNameServices));
}

}  // namespace sandbox
