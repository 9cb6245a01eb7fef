#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

// Reads the whole file and says whether it holds the text.
bool file_holds(const char* path, const char* text) {
  static char content[1 << 20];
  const int fd = ::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  size_t size = 0;
  ssize_t got = 0;
  while (size < sizeof(content) && (got = ::read(fd, content + size, sizeof(content) - size)) > 0) {
    size += static_cast<size_t>(got);
  }
  ::close(fd);
  return ::memmem(content, size, text, std::strlen(text)) != nullptr;
}

void walk_sysctls(const char* directory, int& count) {
  DIR* const dir = ::opendir(directory);
  if (dir == nullptr) return;
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    char path[512];
    std::snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
    if (entry->d_type == DT_DIR) {
      walk_sysctls(path, count);
    } else if (const int fd = ::open(path, O_WRONLY | O_CLOEXEC); fd >= 0) {
      std::printf("writable %s\n", path);
      ++count;
      ::close(fd);
    }
  }
  ::closedir(dir);
}

void tell_link(const char* path) {
  char target[4096];
  const ssize_t length = ::readlink(path, target, sizeof(target) - 1);
  if (length < 0) return;
  target[length] = '\0';
  std::printf("%s -> %s\n", path, target);
}

}  // namespace

/// Reads the file, and writes the same value back.
int rewrite_file(Words words) {
  for (int i = 0; i < words.count; ++i) {
    char value[256] = {};
    const int reader = ::open(words.at[i], O_RDONLY | O_CLOEXEC);
    const ssize_t size = reader < 0 ? -1 : ::read(reader, value, sizeof(value));
    const int writer = ::open(words.at[i], O_WRONLY | O_CLOEXEC);
    if (writer < 0 || size < 0) {
      tell(words.at[i], -1);
    } else {
      tell(words.at[i], ::write(writer, value, static_cast<size_t>(size)));
    }
  }
  return 0;
}

int list_writable_sysctls(Words) {
  int count = 0;
  walk_sysctls("/proc/sys", count);
  std::printf("count %d\n", count);
  return 0;
}

int attack_masks(Words) {
  for (const char* const path :
       {"/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/timer_list"}) {
    char what[64];
    const auto attempt = [&](const char* verb, long result) {
      std::snprintf(what, sizeof(what), "%s(%s)", verb, path);
      tell(what, result);
    };
    attempt("unlink", ::unlink(path));
    attempt("write", ::open(path, O_WRONLY | O_CLOEXEC));
    attempt("truncate", ::truncate(path, 0));
    attempt("rename", ::rename(path, "/proc/other"));
    attempt("chmod", ::chmod(path, 0777));
    attempt("link", ::link(path, "/tmp/kcore"));
  }
  for (const char* const path : {"/proc/acpi", "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"}) {
    char what[64];
    char below[64];
    std::snprintf(below, sizeof(below), "%s/probe", path);
    const auto attempt = [&](const char* verb, long result) {
      std::snprintf(what, sizeof(what), "%s(%s)", verb, path);
      tell(what, result);
    };
    attempt("mkdir", ::mkdir(below, 0755));
    attempt("rmdir", ::rmdir(path));
    attempt("create", ::open(below, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  }
  return 0;
}

/// Opens the programs of itself, of PID 1 and of every visible process for writing (CVE-2019-5736).
int rewrite_programs(Words words) {
  const int rounds = words.count > 0 ? std::atoi(words.at[0]) : 1;
  int opened = 0;
  int tried = 0;
  for (int round = 0; round < rounds; ++round) {
    DIR* const proc = ::opendir("/proc");
    while (const dirent* entry = ::readdir(proc)) {
      if (std::atoi(entry->d_name) <= 0 && std::strcmp(entry->d_name, "self") != 0) continue;
      char path[300];
      std::snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
      for (const int flags : {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND}) {
        ++tried;
        const int fd = ::open(path, flags | O_CLOEXEC);
        // A sealed memfd can be opened for writing; a write to it is what must not work.
        if (fd >= 0 && ::write(fd, "", 1) >= 0) {
          ++opened;
          std::printf("wrote %s\n", path);
        }
        if (fd >= 0) ::close(fd);
      }
    }
    const int one = ::open("/proc/1/exe", O_WRONLY | O_CLOEXEC);
    if (one >= 0) {
      ++opened;
      ::close(one);
    }
    ::closedir(proc);
  }
  std::printf("tried %s\nwritten %d\n", tried > 0 ? "some" : "none", opened);
  return 0;
}

/// Where descriptors, working directories, roots and programs of all visible processes lead.
int list_links(Words words) {
  const int rounds = words.count > 0 ? std::atoi(words.at[0]) : 1;
  for (int round = 0; round < rounds; ++round) {
    DIR* const proc = ::opendir("/proc");
    while (const dirent* entry = ::readdir(proc)) {
      if (std::atoi(entry->d_name) <= 0) continue;
      char path[600];
      for (const char* const link : {"cwd", "root"}) {
        std::snprintf(path, sizeof(path), "/proc/%s/%s", entry->d_name, link);
        tell_link(path);
      }
      std::snprintf(path, sizeof(path), "/proc/%s/fd", entry->d_name);
      DIR* const fds = ::opendir(path);
      if (fds == nullptr) continue;
      const bool own = std::atoi(entry->d_name) == ::getpid();
      while (const dirent* fd = ::readdir(fds)) {
        if (own &&
            (std::atoi(fd->d_name) == ::dirfd(fds) || std::atoi(fd->d_name) == ::dirfd(proc)))
          continue;
        std::snprintf(path, sizeof(path), "/proc/%s/fd/%s", entry->d_name, fd->d_name);
        tell_link(path);
      }
      ::closedir(fds);
    }
    ::closedir(proc);
  }
  return 0;
}

/// Looks for each text in what the kernel tells of this process, and in its memory. The words come
/// on stdin, one a line, so that our own argv does not hold them.
int search_for_text(Words) {
  char line[256];
  while (std::fgets(line, sizeof(line), stdin) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    // What stdio and we keep of it is on the heap and the stack; the wanted text is told reversed.
    char text[256];
    const size_t size = std::strlen(line);
    for (size_t i = 0; i < size; ++i) text[i] = line[size - 1 - i];
    text[size] = '\0';
    bool found = false;
    for (const char* const path :
         {"/proc/self/cgroup", "/proc/self/mountinfo", "/proc/self/mounts", "/proc/self/mountstats",
          "/proc/self/maps", "/proc/self/environ", "/proc/self/cmdline", "/proc/self/status",
          "/proc/1/environ", "/proc/1/cmdline", "/proc/1/maps", "/proc/1/mountinfo", "/etc/passwd",
          "/etc/hostname", "/etc/hosts", "/proc/sys/kernel/hostname", "/proc/net/unix"}) {
      if (!file_holds(path, text)) continue;
      std::printf("found in %s\n", path);
      found = true;
    }
    ::explicit_bzero(text, sizeof(text));
    if (!found) say("not found");
  }
  return 0;
}

int make_deep_tree(Words words) {
  const int depth = words.count > 0 ? std::atoi(words.at[0]) : 1000;
  int made = 0;
  while (made < depth && ::mkdir("d", 0755) == 0 && ::chdir("d") == 0) ++made;
  std::printf("depth %d\n", made);
  return 0;
}

/// Directories that keep even their owner out, names of 255 bytes and of no encoding.
int make_locked_tree(Words) {
  ::mkdir("locked", 0755);
  ::mkdir("locked/inner", 0755);
  const int file = ::open("locked/inner/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0000);
  tell("create", file);
  char name[256];
  std::memset(name, 0xfe, 255);
  name[255] = '\0';
  tell("odd name", ::mkdir(name, 0000));
  tell("lock inner", ::chmod("locked/inner", 0000));
  tell("lock", ::chmod("locked", 0000));
  return 0;
}

/// Looks for the word in memory and blocks that were never written.
int search_unwritten_blocks(Words words) {
  const int fd = ::open("/tmp/unwritten", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  constexpr off_t kSize = 8 << 20;
  tell("truncate", ::ftruncate(fd, kSize));
  tell("fallocate", ::posix_fallocate(fd, 0, kSize) == 0 ? 0 : -1);
  static char block[1 << 20];
  bool found = false;
  for (off_t at = 0; at < kSize; at += static_cast<off_t>(sizeof(block))) {
    ::pread(fd, block, sizeof(block), at);
    for (const char byte : block) found = found || byte != 0;
  }
  std::printf("leftovers %s\n", found ? "yes" : "no");
  if (words.count > 0) {
    // Leaves a mark for the next sandbox.
    for (off_t at = 0; at < kSize; at += 4096) {
      ::pwrite(fd, words.at[0], std::strlen(words.at[0]), at);
    }
  }
  return 0;
}

}  // namespace probe
