#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fs/root_file_system.h"
#include "sandbox/unique_fd.h"
#include "templates/accounts.h"
#include "templates/skeleton.h"
#include "templates/template_record.h"
#include "templates/template_store.h"

namespace sandbox {

/// A template found and looked at: what its sandboxes' roots are made of.
struct TemplateSource {
  std::vector<HostPath> lowerdirs;  ///< From top to bottom; the skeleton comes above them.
  std::vector<ReadOnlyTree> read_only_trees;
  Accounts accounts;
  /// Whose skeleton it is: part of a file name. Skeletons of different identities are never shared.
  std::string identity;
  /// With equal identities: equal fingerprints, equal skeletons. Cheap, unlike making one.
  uint64_t fingerprint = 0;
  std::function<Skeleton()> make_skeleton;
  /// From top to bottom; above the skeleton, because what build steps changed in its files counts.
  std::vector<HostPath> step_layers = {};
  TemplateConfig config = {};
  /// Of a stored template: while anybody holds it, the layers stay. See TemplateStore.
  std::shared_ptr<const UniqueFd> in_use = {};
};

/// What the generated files depend on besides the template.
enum class NameService { None, Host };

/// Finds a template by the name a user gives. Throws Error: ENOENT for one that does not exist,
/// with the known forms as hint.
TemplateSource find_template(const std::string& name, NameService names,
                             const TemplateStore& store);

/// A template of the store, or what has been built of one so far.
TemplateSource stored_template(const TemplateRecord& record, NameService names,
                               const TemplateStore& store);

/// The machine's /usr below a skeleton of ours: nothing to install and nothing else of the host.
TemplateSource host_template(NameService names);

/// An unpacked root file system.
TemplateSource directory_template(const std::string& path, NameService names);

/// The files of /etc that every template gets from us.
void add_generated_files(Skeleton& skeleton, const Accounts& accounts, NameService names);

}  // namespace sandbox
