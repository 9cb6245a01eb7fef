#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/options.h"

namespace sandbox {

/// A layer of a stored template.
struct TemplateLayer {
  std::string digest;  ///< SHA-256 of the listing of what is in it.
  uint64_t entries = 0;
  uint64_t bytes = 0;  ///< Sum of the sizes of its files.
};

/// A stored template.
struct TemplateInfo {
  std::string name;
  std::string source;  ///< What it was imported from, or what its manifest is based on.
  std::chrono::system_clock::time_point created;
  bool on_host = false;                 ///< Its programs are those of the machine's /usr.
  std::vector<TemplateLayer> layers{};  ///< From bottom to top. Templates may share them.
  // What sandboxes made of it start with, where their creator says nothing else.
  std::string user{};
  std::string workdir{};
  std::map<std::string, std::string> env{};
  Limits limits{};
  Ids ids = Ids::Auto;
  // What an image says it is for. Nothing runs it by itself.
  std::vector<std::string> entrypoint{};
  std::vector<std::string> cmd{};
  std::string start{};  ///< Runs when a sandbox is created: SandboxOptions::with_start.
  std::string ready{};  ///< What create() then waits for, in words: "port 8080".
};

/// How much a source, which somebody else made, may ask of this machine.
struct TemplateLimits {
  uint64_t entries = 2'000'000;
  uint64_t bytes = uint64_t{64} << 30;  ///< Sum of the sizes of files; holes count.
  std::chrono::seconds time{3600};
};

/// One step of a build, told before it is done.
struct BuildStep {
  std::size_t number = 0;  ///< From 1.
  std::size_t count = 0;
  std::string title;
  bool cached = false;  ///< It was done before: nothing runs.
};

struct BuildOptions {
  /// Take steps that were done before from the store.
  bool use_cache = true;
  /// Take the source from the store: `debian:SUITE` as it was when it was fetched first, `tar:PATH`
  /// unless the file has changed. Other sources are imported each time.
  bool use_source = true;
  TemplateLimits limits = {};
  std::function<void(const BuildStep&)> on_step = {};
  std::function<void(std::string_view)> on_output = {};  ///< What commands print.
};

/// What a collection removed.
struct CollectedTemplates {
  uint64_t layers = 0;
  uint64_t drafts = 0;  ///< Of imports and builds that were killed.
};

/// The templates stored in the data directory: `SandboxOptions::template_name` finds them by name.
///
/// Any number of processes and objects may use the same store at once. An object is for one thread
/// at a time. All functions throw Error. An import or build that fails or is killed leaves the
/// template of that name as it was.
class Templates {
 public:
  explicit Templates(const RuntimeOptions& options = {});

  /// Imports `source` and stores it as `name`, in the place of what had that name before. Sources
  /// are `dir:PATH`, `tar:PATH` (plain, gzip, bzip2, xz, zstd), `oci:PATH[:REF]` and
  /// `docker-archive:PATH[:REF]` (a directory, or an archive of it), `docker://IMAGE` through
  /// skopeo(1), `debian:SUITE` through mmdebstrap(1), and `template:NAME`.
  ///
  /// Files belong to the caller afterwards; set-id bits, devices, sockets, capabilities and ACLs
  /// are left out. Throws Error: EINVAL for what is no archive or image and for a name that is not
  /// 1-100 of [A-Za-z0-9._-]; EBADMSG for an image that does not have its digests; E2BIG, EFBIG,
  /// ENAMETOOLONG or ETIMEDOUT beyond the limits; ENOENT with a hint for a program that is missing.
  TemplateInfo import(const std::string& source, const std::string& name,
                      const TemplateLimits& limits = {}) const;

  /// Builds the template that the manifest `file` describes and stores it under the manifest's
  /// name. Steps run in sandboxes with one id; a step whose inputs are what they were is taken from
  /// the store. Throws Error: EINVAL naming line and column for a manifest that is wrong;
  /// EOPNOTSUPP for what it asks and nothing enforces; ECANCELED for a command that failed, with
  /// the end of its output as hint.
  TemplateInfo build(const std::string& file, const BuildOptions& options = {}) const;

  /// What a sandbox is that the manifest `file` describes: the template of its name, which build()
  /// has to make before, and the manifest's own `network`, `profile` and `ids`. Those of a template
  /// are not used otherwise, for nobody's template chooses how a sandbox is isolated; here who
  /// makes the sandbox chooses the file. Throws Error as build() does for a manifest that is wrong.
  static SandboxOptions sandbox_options(const std::string& file);

  /// All keys of a manifest, with what they take and mean, as Markdown.
  static std::string manifest_schema();

  /// Sorted by name.
  std::vector<TemplateInfo> list() const;
  /// Throws Error with ENOENT for one that is not there.
  TemplateInfo inspect(const std::string& name) const;

  /// Removes it, and layers that no other template has. Throws Error: EBUSY while a sandbox uses
  /// it, ENOENT when it is not there.
  void remove(const std::string& name) const;
  /// Removes those that no sandbox uses, and gives their names.
  std::vector<std::string> remove_unused() const;

  /// Reads everything and compares it with its digests; what differs, in words. Empty: nothing.
  std::vector<std::string> verify(const std::string& name) const;

  /// Writes the template to `fd` as an OCI image layout in a tar archive, which skopeo(1) and
  /// others read as oci-archive: and import() reads as oci:. Its reference is `name`. Modes and
  /// owners are those that its source had; of what steps made, the owner is root. The same template
  /// is the same archive, byte by byte. Returns the digest of the image's manifest, "sha256:...".
  ///
  /// Throws Error: ENOENT when it is not there; EOPNOTSUPP for one of `from: host`, whose programs
  /// are the machine's; EBADMSG when a layer does not have its digest; EINVAL for a name that
  /// archives of images give another meaning (".wh.x"). What was written by then is no archive.
  std::string export_image(const std::string& name, int fd) const;

  /// Removes what killed imports and builds left, and layers that no template has any more. Does
  /// nothing while somebody imports or builds.
  CollectedTemplates collect() const;

 private:
  RuntimeOptions options_;
  std::string directory_;
  uid_t uid_;
  gid_t gid_;
};

}  // namespace sandbox
