#include "tests/fs/test_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fs/fs_identity.h"
#include "isolation/capabilities.h"
#include "runtime/init/file_agent_process.h"
#include "sandbox/error.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

// Root's trees belong to this id, which no account of the machine has.
constexpr uid_t kPayloadId = 0x7A000000;
constexpr uid_t kInside = 1000;

UniqueFd open_path(const std::string& path) {
  return UniqueFd(check(::open(path.c_str(), O_PATH | O_CLOEXEC), "open", path));
}

void make_directory(const std::string& path) { check(::mkdir(path.c_str(), 0755), "mkdir", path); }

void put(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

void mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
              const char* data) {
  check(::mount(source, target.c_str(), type, flags, data), "mount", target);
}

void bind(const std::string& source, const std::string& target) {
  mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC, nullptr);
}

void send_fd(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* header = reinterpret_cast<cmsghdr*>(control);  // There is room for one: cmsg(3).
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  *reinterpret_cast<int*>(CMSG_DATA(header)) = fd;
  check(::sendmsg(socket, &message, 0), "sendmsg");
}

UniqueFd receive_fd(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (check(::recvmsg(socket, &message, MSG_CMSG_CLOEXEC), "recvmsg") == 0) {
    throw Error(ECHILD, "recvmsg", "overlay root", "the child could not make its mounts");
  }
  return UniqueFd(*reinterpret_cast<int*>(CMSG_DATA(reinterpret_cast<cmsghdr*>(control))));
}

void write_map(const std::string& path, const std::string& text) {
  const UniqueFd fd(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open", path));
  check(::write(fd.get(), text.data(), text.size()), "write", path);
}

void write_id_maps(pid_t child) {
  const std::string proc = "/proc/" + std::to_string(child);
  const bool root = ::geteuid() == 0;
  const std::string uid = std::to_string(root ? kPayloadId : ::geteuid());
  const std::string gid = std::to_string(root ? kPayloadId : ::getegid());
  write_map(proc + "/setgroups", "deny");
  write_map(proc + "/uid_map", std::to_string(kInside) + ' ' + uid + " 1\n");
  write_map(proc + "/gid_map", std::to_string(kInside) + ' ' + gid + " 1\n");
}

// In the child, which has all capabilities in its namespaces: everything happens on its own /tmp.
void make_layers() {
  mount_at("tmpfs", "/tmp", "tmpfs", 0, nullptr);
  for (const char* name : {"lower", "upper", "work", "root"}) {
    make_directory(std::string("/tmp/") + name);
  }
  make_directory("/tmp/lower/template");
  make_directory("/tmp/lower/template/dir");
  put("/tmp/lower/template/file", "template");
  put("/tmp/lower/template/dir/file", "in a directory");
  mount_at("overlay", "/tmp/root", "overlay", MS_NODEV | MS_NOSUID,
           "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,userxattr");
}

void make_root_mounts() {
  for (const char* name : {"home", "home/user", "tmp", "foreign", "proc", "dev", "etc"}) {
    make_directory(std::string("/tmp/root/") + name);
  }
  mount_at("tmpfs", "/tmp/root/tmp", "tmpfs", MS_NODEV, "mode=1777");
  mount_at("tmpfs", "/tmp/root/foreign", "tmpfs", MS_NODEV, nullptr);
  put("/tmp/root/foreign/secret", "secret");
  bind("/proc", "/tmp/root/proc");
  mount_at("tmpfs", "/tmp/root/dev", "tmpfs", 0, nullptr);
  for (const char* name : {"null", "zero", "tty"}) {
    put(std::string("/tmp/root/dev/") + name, "");
    bind(std::string("/dev/") + name, std::string("/tmp/root/dev/") + name);
  }
  put("/tmp/root/etc/hosts", "");
  put("/tmp/root/foreign/hosts", "mounted");
  bind("/tmp/root/foreign/hosts", "/tmp/root/etc/hosts");
}

// Root's namespaces belong to the payload's id, as those of a sandbox do.
[[noreturn]] void run_namespaces(int socket, bool overlay) {
  try {
    if (::geteuid() == 0) give_up_root(kPayloadId, kPayloadId);
    check(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
    send_fd(socket, UniqueFd(::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC)).get());
    char byte = 0;
    check(::read(socket, &byte, 1), "read");  // The maps are written.
    if (overlay) {
      make_layers();
      make_root_mounts();
      send_fd(socket, open_path("/tmp/root").get());
      send_fd(socket, open_path("/tmp/root/tmp").get());
    }
    static_cast<void>(::read(socket, &byte, 1));  // Until the test is over.
    ::_exit(0);
  } catch (const Error& error) {
    std::fprintf(stderr, "overlay root: %s\n", error.what());
    ::_exit(1);
  }
}

}  // namespace

bool is_by_agent(RootKind kind) {
  return kind == RootKind::PlainByAgent || kind == RootKind::OverlayByAgent;
}

bool is_overlay(RootKind kind) {
  return kind == RootKind::Overlay || kind == RootKind::OverlayByAgent;
}

std::ostream& operator<<(std::ostream& out, RootKind kind) {
  return out << (is_overlay(kind) ? "Overlay" : "Plain") << (is_by_agent(kind) ? "ByAgent" : "");
}

TestRoot::TestRoot(RootKind kind) {
  const bool root = ::geteuid() == 0;
  owner_.name = "user";
  owner_.home = "/home/user";
  owner_.host_uid = root ? kPayloadId : ::geteuid();
  owner_.host_gid = root ? kPayloadId : ::getegid();
  owner_.uid = kInside;
  owner_.gid = kInside;
  owner_.agent_only = is_by_agent(kind);
  if (kind != RootKind::Plain) start_namespaces(is_overlay(kind));
  if (!is_overlay(kind)) open_plain();
  FilesContext::Setup setup;
  setup.root.reset(check(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
  if (volume_) setup.volumes.push_back(status_of(volume_.get(), "volume").stx_mnt_id);
  if (owner_.agent_only) {
    agent_ = std::make_shared<FileAgent>([this] { return start_agent(); });
    setup.agent = agent_;
  }
  setup.users["user"] = owner_;
  FileOwner homeless = owner_;
  homeless.home.clear();
  setup.users["homeless"] = homeless;
  setup.names.uids = {{.inside = kInside, .outside = owner_.host_uid}};
  setup.names.gids = {{.inside = kInside, .outside = owner_.host_gid}};
  setup.names.users[kInside] = "user";
  setup.names.groups[kInside] = "user";
  context_ = std::make_shared<FilesContext>(std::move(setup));
  files_ = Files(context_);
}

TestRoot::~TestRoot() {
  context_->close();
  keep_alive_.reset();
  for (const pid_t child : children_) ::waitpid(child, nullptr, 0);
}

void TestRoot::open_plain() {
  make_directory(directory_.path("root"));
  make_directory(directory_.path("root/home"));
  make_directory(directory_.path("root/home/user"));
  for (const char* name : {"root", "root/home", "root/home/user"}) {
    const std::string path = directory_.path(name);
    check(::chown(path.c_str(), owner_.host_uid, owner_.host_gid), "chown", path);
  }
  fd_ = open_path(directory_.path("root"));
}

void TestRoot::start_namespaces(bool overlay) {
  require_user_namespaces();
  int sockets[2] = {};
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), "socketpair");
  UniqueFd child_end(sockets[1]);
  keep_alive_.reset(sockets[0]);
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    keep_alive_.reset();
    run_namespaces(child_end.get(), overlay);
  }
  children_.push_back(child);
  child_end.reset();
  user_namespace_ = receive_fd(keep_alive_.get());
  write_id_maps(child);
  const char byte = 0;
  check(::write(keep_alive_.get(), &byte, 1), "write");
  if (!overlay) return;
  fd_ = receive_fd(keep_alive_.get());
  volume_ = receive_fd(keep_alive_.get());
}

// As the launcher does it, and as its uid.
MessageSocket TestRoot::start_agent() {
  auto [ours, theirs] = MessageSocket::pair();
  const pid_t child = check(::fork(), "fork");
  if (child != 0) {
    children_.push_back(child);
    return std::move(ours);
  }
  constexpr int kSocket = 3;
  constexpr int kNamespace = 4;
  constexpr int kOutOfTheWay = 5;
  const int socket = ::fcntl(theirs.fd(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  const int name_space = ::fcntl(user_namespace_.get(), F_DUPFD_CLOEXEC, kOutOfTheWay);
  ::dup2(socket, kSocket);
  ::dup2(name_space, kNamespace);
  ::close_range(kOutOfTheWay, ~0U, 0);
  try {
    if (::geteuid() == 0) give_up_root(kPayloadId, kPayloadId);
    const UniqueFd namespaces[] = {UniqueFd(kNamespace)};
    run_file_agent(MessageSocket(UniqueFd(kSocket)), namespaces);
  } catch (const Error& error) {
    std::fprintf(stderr, "file agent: %s\n", error.what());
  }
  ::_exit(0);
}

std::string TestRoot::inside(std::string_view path) const {
  return fd_path(fd_.get()) + std::string(path);
}

void TestRoot::as_payload(const std::function<void()>& body) const {
  const FsIdentity as_owner(owner_);
  body();
}

void TestRoot::write(std::string_view path, std::string_view content) const {
  as_payload([&] {
    const std::filesystem::path file = inside(path);
    std::filesystem::create_directories(file.parent_path());
    put(file, content);
  });
}

std::string TestRoot::read(std::string_view path) const {
  std::ostringstream content;
  as_payload([&] { content << std::ifstream(inside(path), std::ios::binary).rdbuf(); });
  return content.str();
}

}  // namespace sandbox::test
