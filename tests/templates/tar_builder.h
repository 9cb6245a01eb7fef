#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace sandbox::test {

/// Writes tar archives entry by entry, the wicked ones too.
class TarBuilder {
 public:
  struct Status {
    mode_t mode = 0644;
    uint32_t uid = 0;
    uint32_t gid = 0;
    int64_t modified = 1'000'000'000;
    std::map<std::string, std::string> xattrs = {};
  };

  TarBuilder& file(const std::string& path, const std::string& content);
  TarBuilder& file(const std::string& path, const std::string& content, const Status& status);
  TarBuilder& directory(const std::string& path);
  TarBuilder& directory(const std::string& path, const Status& status);
  TarBuilder& symlink(const std::string& path, const std::string& target);
  TarBuilder& hardlink(const std::string& path, const std::string& existing);
  TarBuilder& device(const std::string& path, dev_t device);
  TarBuilder& fifo(const std::string& path);
  /// A file of `size` bytes of which only the last one is stored.
  TarBuilder& sparse(const std::string& path, int64_t size);

  /// The archive, of pax format; `filter` is none, gzip, bzip2, xz or zstd.
  std::string build(const std::string& filter = "none") const;

 private:
  struct Entry {
    mode_t type = 0;
    std::string path;
    std::string content;  ///< Or the target of a link.
    Status status = {};
    bool is_hardlink = false;
    dev_t device = 0;
    int64_t sparse_size = 0;
  };
  TarBuilder& add(Entry entry);

  std::map<int, Entry> entries_;
};

}  // namespace sandbox::test
