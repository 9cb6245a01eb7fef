#include <fcntl.h>
#include <mqueue.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

constexpr key_t kKey = 0x5bd1e995;
constexpr const char* kQueue = "/probe-channel";
constexpr const char* kName = "probe-channel";

sockaddr_un abstract_name(socklen_t& size) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path + 1, kName);
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(kName));
  return address;
}

long touch(const char* path) { return ::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666); }

long lock_whole_file(int fd) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  return ::fcntl(fd, F_OFD_SETLK, &lock);
}

}  // namespace

/// Takes one name in each channel that two sandboxes could share; the word is a template's file.
/// Says "ready" and keeps them until stdin ends.
int take_channels(Words words) {
  tell("shmget", ::shmget(kKey, 4096, IPC_CREAT | IPC_EXCL | 0666));
  tell("semget", ::semget(kKey, 1, IPC_CREAT | IPC_EXCL | 0666));
  tell("msgget", ::msgget(kKey, IPC_CREAT | IPC_EXCL | 0666));
  tell("mq_open", ::mq_open(kQueue, O_CREAT | O_EXCL | O_RDWR, 0666, nullptr));
  tell("shm_open", touch("/dev/shm/probe-channel"));
  tell("tmp", touch("/tmp/probe-channel"));
  tell("var tmp", touch("/var/tmp/probe-channel"));
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = 0;
  const sockaddr_un address = abstract_name(size);
  tell("bind abstract", ::bind(listener, reinterpret_cast<const sockaddr*>(&address), size));
  ::listen(listener, 1);
  for (int i = 0; i < words.count; ++i) {
    const int file = ::open(words.at[i], O_RDONLY | O_CLOEXEC);
    tell("flock", ::flock(file, LOCK_EX | LOCK_NB));
    const int writable = ::open(words.at[i], O_RDWR | O_CLOEXEC);
    if (writable >= 0) tell("ofd lock", lock_whole_file(writable));
    const int directory = ::open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tell("notify", ::fcntl(directory, F_NOTIFY, DN_ACCESS | DN_MODIFY | DN_CREATE | DN_MULTISHOT));
  }
  say("ready");
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

/// Looks for the names that take_channels() takes: "shm ENOENT" when there is none, "flock ok" when
/// nobody holds the lock.
int look_at_channels(Words words) {
  tell("shm", ::shmget(kKey, 1, 0));
  tell("sem", ::semget(kKey, 1, 0));
  tell("msg", ::msgget(kKey, 0));
  tell("mq", ::mq_open(kQueue, O_RDWR));
  tell("shm file", ::open("/dev/shm/probe-channel", O_RDONLY | O_CLOEXEC));
  tell("tmp", ::open("/tmp/probe-channel", O_RDONLY | O_CLOEXEC));
  tell("var tmp", ::open("/var/tmp/probe-channel", O_RDONLY | O_CLOEXEC));
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = 0;
  const sockaddr_un address = abstract_name(size);
  tell("abstract", ::connect(client, reinterpret_cast<const sockaddr*>(&address), size));
  for (int i = 0; i < words.count; ++i) {
    const int file = ::open(words.at[i], O_RDONLY | O_CLOEXEC);
    tell("flock", ::flock(file, LOCK_EX | LOCK_NB));
    const int writable = ::open(words.at[i], O_RDWR | O_CLOEXEC);
    if (writable >= 0) tell("ofd lock", lock_whole_file(writable));
  }
  utsname name = {};
  ::uname(&name);
  std::printf("host %s domain %s\n", name.nodename, name.domainname);
  return 0;
}

}  // namespace probe
