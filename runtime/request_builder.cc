#include "runtime/request_builder.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "isolation/seccomp_filter.h"
#include "runtime/mount_guard.h"
#include "runtime/sandbox_core.h"
#include "runtime/sudo_layer.h"

namespace sandbox {
namespace {

constexpr uint32_t kTtyGroup = 5;

std::vector<std::byte> to_vector(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

RequestBuilder::RequestBuilder(std::string data_path, std::string run_path,
                               const HostIdentity& identity)
    : data_path_(std::move(data_path)),
      run_path_(std::move(run_path)),
      skeletons_(data_path_ + "/skeletons", identity.uid, identity.gid),
      sudo_layer_(sudo_layer()) {}

LaunchRequest RequestBuilder::build(const SandboxOptions& options, const TemplateSource& source,
                                    const IdPlan& ids,
                                    const std::optional<BoxDirectory>& box) const {
  LaunchRequest request;
  request.root = root_request(options, source, ids);
  request.root.has_sudo = ids.effective == Ids::Range;
  request.root.tty_group_mapped = id_outside(ids.map.gids(), kTtyGroup).has_value();
  if (box) request.root.upper_directory = HostPath::look_up(box->path());
  request.sudo_user = source.accounts.find("user").value().uid;
  request.ids = ids.map;
  request.map_writer = ids.writer;
  request.own_network = options.network == Network::None;
  request.ttl_ms = ttl_in_ms(options.ttl);
  request.ttl_action = options.ttl_action;
  const SeccompFilter& filter = seccomp_filter(options.profile);
  request.allow_filter = to_vector(filter.allow);
  request.deny_filter = to_vector(filter.deny);
  return request;
}

RootRequest RequestBuilder::root_request(const SandboxOptions& options,
                                         const TemplateSource& source, const IdPlan& ids) const {
  RootRequest root;
  root.lowerdirs = source.step_layers;
  root.lowerdirs.push_back(skeletons_.get(source));
  for (const HostPath& layer : source.lowerdirs) root.lowerdirs.push_back(layer);
  root.read_only_trees = source.read_only_trees;
  // For who has root, or is root and runs scripts that say sudo. Layers cost on every lookup.
  const bool has_root = id_outside(ids.map.uids(), 0).has_value();
  if (has_root && takes_sudo_layer(source)) root.tools = skeletons_.get(sudo_layer_);
  for (const Mount& mount : options.mounts) root.binds.push_back(bind_mount(mount));
  return root;
}

BindMount RequestBuilder::bind_mount(const Mount& mount) const {
  HostPath host_path = HostPath::look_up(mount.source);
  require_not_exposed(host_path, data_path_);
  require_not_exposed(host_path, run_path_);
  return {.source = std::move(host_path),
          .target = mount.target,
          .read_only = mount.access == Access::ReadOnly};
}

}  // namespace sandbox
