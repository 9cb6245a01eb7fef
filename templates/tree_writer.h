#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "fs/root_dir.h"
#include "sandbox/unique_fd.h"
#include "templates/import_budget.h"
#include "templates/layer_entry.h"
#include "templates/layer_listing.h"

namespace sandbox {

/// To whom the files of stored layers belong.
struct TreeOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Builds the tree of a layer from entries that somebody hostile may have chosen.
///
/// Every path is resolved inside the tree with openat2(2), RESOLVE_IN_ROOT: an absolute name, ".."
/// or a symlink made by an earlier entry ends in the tree. The last component is never followed;
/// what has its name is replaced, except a directory by a directory. Ownership and modes:
/// stored_mode(). Throws Error.
class TreeWriter {
 public:
  /// `tree` is an empty directory that nobody else writes to. `budget` outlives this.
  TreeWriter(UniqueFd tree, TreeOwner owner, ImportBudget& budget);

  void make_directory(const std::string& path, const EntryStatus& status);
  void make_symlink(const std::string& path, const std::string& target, const EntryStatus& status);
  /// A second name for a regular file that was made before.
  void make_hardlink(const std::string& path, const std::string& existing);
  /// A new empty file, open for writing; to be filled and then given to finish_file().
  UniqueFd make_file(const std::string& path);
  /// Sets the status of the file that make_file() made last.
  void finish_file(int fd, const std::string& path, const EntryStatus& status);

  /// Starts another layer of an image, merged into what is there: from here on hide() spares what
  /// is written.
  void begin_layer();
  /// A whiteout: removes what earlier layers have at `path`.
  void hide(const std::string& path);
  /// An opaque directory: removes what earlier layers have in it.
  void hide_content(const std::string& path);

  /// Last: gives directories their status, which making entries in them would have changed.
  void finish();

  /// What the tree does not show. To be asked once, after finish().
  RecordedStatuses take_recorded() { return std::move(recorded_); }
  int fd() const noexcept { return root_.fd(); }

 private:
  struct Parent {
    std::string given;  ///< As an entry named it, the cache's key.
    std::string path;   ///< Where it really is, relative to the tree; empty for the top.
    UniqueFd fd;
  };
  struct Place {
    Parent* parent = nullptr;
    std::string name;
    std::string path;  ///< Real, relative.
  };

  /// Normalised and relative: "./a//b/../c" and "/a/c" are "a/c". Empty for the top.
  std::string admit(const std::string& path);
  Place place_of(const std::string& path, const timespec& modified);
  Parent& parent_of(const std::string& path, const timespec& modified);
  void make_missing(const std::string& path, const timespec& modified);
  void make_room(const Place& place);
  void record(const std::string& path, const EntryStatus& status, bool directory);
  void forget(const std::string& path);
  bool is_new(const std::string& path) const;
  bool exists(const std::string& path) const;

  RootDir root_;
  TreeOwner owner_;
  bool give_away_;
  ImportBudget& budget_;
  Parent parent_;
  bool parent_is_stale_ = false;
  RecordedStatuses recorded_;
  std::map<std::string, EntryStatus> directories_;
  bool merging_ = false;
  std::set<std::string> written_;  ///< By the current layer, when it is not the first.
};

/// "a/c" for "./a//b/../c" and "/../a/c"; empty for the top. Lexical, as archives mean it.
std::string normalised_path(const std::string& path);

}  // namespace sandbox
