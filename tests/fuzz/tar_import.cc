// Archives of layers, unpacked for real: into a directory beside one that must stay as it is.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "fs/remove_tree.h"
#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "templates/tar_layer.h"
#include "templates/tree_writer.h"
#include "tests/fuzz/decoders.h"
#include "tests/templates/tar_builder.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

constexpr ImportLimits kLimits{.entries = 200, .bytes = 1 << 20, .depth = 40};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "tar_import: %s\n", what);
  std::abort();
}

// "above/tree" is unpacked into, and nothing else in "above" may ever change.
class Ground {
 public:
  Ground() : path_(fs::temp_directory_path() / "sandbox-fuzz.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) die("mkdtemp failed");
    above_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd outside(::openat(above_.get(), "outside", O_CREAT | O_WRONLY, 0600));
    write_all(outside.get(), std::as_bytes(std::span("outside", 7)), "outside");
    archive_.reset(::memfd_create("archive", MFD_CLOEXEC));
  }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;
  ~Ground() { fs::remove_all(path_); }

  UniqueFd make_tree() const {
    remove_tree(above_.get(), "tree");
    ::mkdirat(above_.get(), "tree", 0700);
    return UniqueFd(check(::openat(above_.get(), "tree", O_RDONLY | O_CLOEXEC), "openat"));
  }
  UniqueFd open_tree() const {
    return UniqueFd(check(::openat(above_.get(), "tree", O_RDONLY | O_CLOEXEC), "openat"));
  }

  // A descriptor of the archive, at its beginning.
  int archive(std::span<const std::byte> input) const {
    check(::ftruncate(archive_.get(), 0), "ftruncate");
    check(::lseek(archive_.get(), 0, SEEK_SET), "lseek");
    write_all(archive_.get(), input, "archive");
    return rewound();
  }
  int rewound() const {
    check(::lseek(archive_.get(), 0, SEEK_SET), "lseek");
    return archive_.get();
  }

  void require_untouched() const {
    std::size_t entries = 0;
    for (const auto& entry : fs::directory_iterator(path_)) {
      const fs::path name = entry.path().filename();
      if (name != "tree" && name != "outside") die("something was made outside of the tree");
      ++entries;
    }
    struct stat status {};
    if (entries != 2 || ::fstatat(above_.get(), "outside", &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        status.st_size != 7 || status.st_nlink != 1 || status.st_mode != (S_IFREG | 0600)) {
      die("what lies outside of the tree was changed");
    }
  }

 private:
  std::string path_;
  UniqueFd above_;
  UniqueFd archive_;
};

// As the only layer, and merged into itself by the rules of images.
void unpack(const Ground& ground, std::span<const std::byte> input) {
  const int archive = ground.archive(input);
  ImportBudget budget(kLimits);
  TreeWriter tree(ground.make_tree(), {::geteuid(), ::getegid()}, budget);
  try {
    unpack_layer(archive, "archive", Whiteouts::Literal, tree, budget);
    tree.begin_layer();
    unpack_layer(ground.rewound(), "archive", Whiteouts::Oci, tree, budget);
  } catch (const Error&) {
    return;
  }
  tree.finish();  // Whatever was accepted is a layer, without a further excuse.
  list_layer(ground.open_tree(), tree.take_recorded());
}

void decode(std::span<const std::byte> input) {
  static const Ground ground;
  unpack(ground, input);
  ground.require_untouched();
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string ordinary() {
  return TarBuilder()
      .directory("d", {.mode = 01777, .xattrs = {{"user.a", "b"}}})
      .file("d/f", "content", {.mode = 04755, .uid = 1})
      .hardlink("d/g", "d/f")
      .symlink("l", "../outside")
      .file("l/through", "x")
      .build();
}

std::string hiding() {
  return TarBuilder()
      .file("a/b/c", "x")
      .file("a/.wh..wh..opq", "")
      .file("a/.wh.b", "")
      .symlink("up", "..")
      .file("up/.wh.outside", "")
      .build();
}

std::string odd() {
  return TarBuilder()
      .file("../outside", "x")
      .fifo("fifo")
      .device("null", 0x103)
      .sparse("holes", 9000)
      .symlink("loop", "loop")
      .hardlink("hard", "../outside")
      .build();
}

}  // namespace

Decoder tar_import() {
  return {.name = "tar_import",
          .decode = decode,
          .corpus = {bytes_of(ordinary()), bytes_of(hiding()), bytes_of(odd()),
                     bytes_of(TarBuilder().file("f", "x").build("gzip"))},
          .tries = 600};
}

}  // namespace sandbox::test
