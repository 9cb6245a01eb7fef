#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/kernel_file.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"
#include "templates/template_source.h"

namespace sandbox {
namespace {

// What the steps have made of one of the skeleton's files: that of the topmost layer that has it.
// A step replaces them as any program does, by a regular file; what else may lie there is not it.
std::string read_top(const std::vector<HostPath>& layers, const std::string& path,
                     const std::string& otherwise) {
  constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (const HostPath& layer : layers) {
    const UniqueFd top = layer.open();
    constexpr uint64_t kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const UniqueFd file(openat2(top.get(), path.c_str(), kFlags, kInside));
    if (!file) continue;
    struct stat status {};
    check(::fstat(file.get(), &status), "fstat", path);
    if (!S_ISREG(status.st_mode)) continue;
    return read_to_end(file.get(), path, kLargestAccountFile);
  }
  return otherwise;
}

TemplateSource base_of(const TemplateRecord& record, NameService names,
                       const TemplateStore& store) {
  if (record.on_host) return host_template(names);
  if (record.base_layers.size() != 1) {
    throw Error(EBADMSG, "find template", record.name, "its record is damaged; import it anew");
  }
  return directory_template(store.tree_of(record.base_layers.front().digest), names);
}

}  // namespace

TemplateSource stored_template(const TemplateRecord& record, NameService names,
                               const TemplateStore& store) {
  TemplateSource source = base_of(record, names, store);
  source.config = record.config;
  // Overlay names the topmost first.
  const std::vector<LayerSummary>& steps = record.step_layers;
  std::transform(
      steps.rbegin(), steps.rend(), std::back_inserter(source.step_layers),
      [&](const LayerSummary& layer) { return HostPath::look_up(store.tree_of(layer.digest)); });
  if (!source.step_layers.empty()) {
    const Accounts& base = source.accounts;
    source.accounts = Accounts(read_top(source.step_layers, "etc/passwd", base.passwd_file()),
                               read_top(source.step_layers, "etc/group", base.group_file()));
  }
  return source;
}

}  // namespace sandbox
