#include "runtime/run_directory.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "fs/remove_tree.h"
#include "fs/root_dir.h"
#include "isolation/sandbox_cgroup.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/syscalls.h"
#include "runtime/own_directory.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kRecord = "sandbox.json";
constexpr const char* kNewRecord = "sandbox.json.new";
constexpr const char* kSocket = "control";
constexpr const char* kNames = "names";
constexpr std::size_t kLargestRecord = 16 << 20;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Neither may steer a path: crun had to forbid slashes.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_alphanumeric(text.front())) return false;
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789_.-") == std::string_view::npos;
}

bool is_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void require_name(const std::string& name) {
  if (!is_name(name)) {
    throw Error(EINVAL, "find sandbox", name,
                "ids and names are 1 to 64 of a-z A-Z 0-9 _ . - and begin with a letter or digit");
  }
}

// sun_path has 108 bytes; through the descriptor any directory is near enough.
sockaddr_un address_in(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fd_path(directory) + '/' + kSocket;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

UniqueFd make_socket(int flags) {
  return UniqueFd(
      check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0), "socket", "control"));
}

UniqueFd bind_socket(int directory) {
  UniqueFd socket = make_socket(0);
  const sockaddr_un address = address_in(directory);
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "bind",
        "control socket");
  return socket;
}

[[noreturn]] void throw_ended(const std::string& id) {
  throw Error(ESRCH, "find sandbox", id, "it has ended; `sandboxctl list` shows those that live");
}

// Not while it is stopped and its backlog is full: a host never waits for a sandbox.
MessageSocket connect_to(int directory, const std::string& id) {
  UniqueFd socket = make_socket(SOCK_NONBLOCK);
  const sockaddr_un address = address_in(directory);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) throw_ended(id);
    throw Error(errno, "connect", id, "its PID 1 does not answer; has somebody stopped it?");
  }
  check(::fcntl(socket.get(), F_SETFL, 0), "fcntl(F_SETFL)");
  return MessageSocket(std::move(socket));
}

pid_t peer_pid(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  check(::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt(SO_PEERCRED)");
  return peer.pid;
}

bool hung_up(int socket) {
  pollfd connection{socket, 0, 0};
  return ::poll(&connection, 1, 0) > 0;
}

// The lock tells: PID 1 takes it along when it ends.
bool is_alive(int directory) { return !try_lock(directory, LOCK_SH); }

void remove_name(const std::string& run_path, const std::string& name, const std::string& id) {
  const std::string link = run_path + '/' + kNames + '/' + name;
  std::error_code ignored;
  if (std::filesystem::read_symlink(link, ignored) == id) ::unlink(link.c_str());
}

// Read before the record goes. What is no record leads to no cgroup.
std::string cgroup_of(const RunDirectory& run, const std::string& id) {
  try {
    return run.read(id).cgroup;
  } catch (const Error&) {
    return {};
  }
}

// Of the dead sandbox `id`; with the run directory locked.
void remove_names_of(const std::string& run_path, const std::string& id) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(run_path + '/' + kNames, none)) {
    remove_name(run_path, entry.path().filename(), id);
  }
}

}  // namespace

std::string make_sandbox_id() {
  std::array<unsigned char, 6> bytes{};
  check(::getrandom(bytes.data(), bytes.size(), 0), "getrandom");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

BoxPlace::BoxPlace(std::string run_path, std::string id, std::string name, UniqueFd lock)
    : run_path_(std::move(run_path)),
      id_(std::move(id)),
      name_(std::move(name)),
      path_(run_path_ + '/' + id_),
      lock_(std::move(lock)),
      socket_(bind_socket(lock_.get())) {}

BoxPlace::~BoxPlace() {
  if (!lock_) return;
  try {
    if (!name_.empty()) remove_name(run_path_, name_, id_);
    remove_tree(open_directory(run_path_).get(), id_);
  } catch (const std::exception&) {
    // What is left is unlocked in a moment, and the next collection takes it.
  }
}

// Not synced: a record that a crash of the machine takes with it is of a sandbox that is gone too.
void BoxPlace::write(const BoxRecord& record) const {
  const std::string json = record.to_json();
  const UniqueFd file{check(
      ::openat(lock_.get(), kNewRecord, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
      "open", kNewRecord)};
  write_all(file.get(), std::as_bytes(std::span(json)), kRecord);
  check(::renameat(lock_.get(), kNewRecord, lock_.get(), kRecord), "rename", kRecord);
}

void BoxPlace::keep() noexcept {
  lock_.reset();
  socket_.reset();
}

std::string RunDirectory::locate(const std::string& configured, const std::string& data_directory,
                                 const std::string& data_path, const HostIdentity& identity) {
  if (!configured.empty()) return std::filesystem::absolute(configured);
  const char* home = ::secure_getenv("SANDBOX_HOME");
  const bool moved = !data_directory.empty() || (home != nullptr && *home != '\0');
  if (moved) return data_path + "/run";
  if (identity.root_caller) return "/run/sandbox";
  if (const char* run = ::secure_getenv("XDG_RUNTIME_DIR"); run != nullptr && *run == '/') {
    return std::string(run) + "/sandbox";
  }
  return data_path + "/run";
}

UniqueFd RunDirectory::open_own() const {
  make_parents(path_);
  make_directory(path_, 0700);
  require_own(path_);
  return open_directory(path_);
}

BoxPlace RunDirectory::make_place(const std::string& name) const {
  if (!name.empty()) require_name(name);
  if (is_id(name)) throw Error(EINVAL, "name", name, "12 hexadecimal digits are an id");
  const UniqueFd run = open_own();
  // Nobody collects what is not locked yet, and nobody else takes the name.
  check(::flock(run.get(), LOCK_EX), "flock", path_);
  const std::string id = make_sandbox_id();
  if (!name.empty()) {
    make_directory(path_ + '/' + kNames, 0700);
    const std::string link = path_ + '/' + kNames + '/' + name;
    std::error_code ignored;
    const std::string holder = std::filesystem::read_symlink(link, ignored);
    const UniqueFd other{is_id(holder) ? ::openat(run.get(), holder.c_str(), O_RDONLY | O_CLOEXEC)
                                       : -1};
    if (other && is_alive(other.get())) {
      throw Error(EEXIST, "name", name, "a living sandbox has it: " + holder);
    }
    ::unlink(link.c_str());
    check(::symlink(id.c_str(), link.c_str()), "symlink", link);
  }
  const std::string path = path_ + '/' + id;
  if (!make_directory(path, 0700)) throw Error(EEXIST, "mkdir", path);
  UniqueFd lock = open_directory(path);
  check(::flock(lock.get(), LOCK_EX), "flock", path);  // Those who list look at it for a moment.
  return BoxPlace(path_, id, name, std::move(lock));
}

std::string RunDirectory::find(const std::string& id_or_name) const {
  require_name(id_or_name);
  if (std::filesystem::exists(path_)) require_own(path_);
  std::string id = id_or_name;
  if (!is_id(id)) {
    std::error_code missing;
    id = std::filesystem::read_symlink(path_ + '/' + kNames + '/' + id_or_name, missing);
  }
  const UniqueFd directory{is_id(id) ? ::open((path_ + '/' + id).c_str(),
                                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                     : -1};
  if (!directory) {
    throw Error(ENOENT, "find sandbox", id_or_name, "`sandboxctl list` shows those that live");
  }
  require_own(path_ + '/' + id);
  if (!is_alive(directory.get())) throw_ended(id_or_name);
  return id;
}

std::vector<std::string> RunDirectory::ids() const {
  std::vector<std::string> alive;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const UniqueFd directory{::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory && is_alive(directory.get())) alive.push_back(id);
  }
  return alive;
}

BoxRecord RunDirectory::read(const std::string& id) const {
  const std::string path = path_ + '/' + id + '/' + kRecord;
  const UniqueFd record{
      check(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), "open", path)};
  struct stat status {};
  check(::fstat(record.get(), &status), "fstat", path);
  if (!S_ISREG(status.st_mode)) throw Error(EBADMSG, "open", path, "it is not a regular file");
  return BoxRecord::from_json(read_to_end(record.get(), path, kLargestRecord));
}

BoxConnection RunDirectory::connect(const std::string& id) const {
  const UniqueFd directory = open_directory(path_ + '/' + id);
  BoxConnection connection;
  connection.control = connect_to(directory.get(), id);
  connection.host_pid = peer_pid(connection.control.fd());
  connection.pidfd.reset(pidfd_open(connection.host_pid));
  // Still connected after the pid was opened: then it is that of PID 1 and not of a successor.
  if (!connection.pidfd || hung_up(connection.control.fd())) throw_ended(id);
  return connection;
}

bool RunDirectory::remove(const std::string& id) const {
  const UniqueFd run = open_own();
  check(::flock(run.get(), LOCK_EX), "flock", path_);
  const std::string path = path_ + '/' + id;
  const UniqueFd directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!directory || is_alive(directory.get())) return false;
  remove_names_of(path_, id);
  if (const std::string cgroup = cgroup_of(*this, id); !cgroup.empty()) remove_dead_cgroup(cgroup);
  remove_tree(run.get(), id);
  return true;
}

std::vector<std::string> RunDirectory::collect() const {
  std::vector<std::string> collected;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const UniqueFd directory{::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || is_alive(directory.get())) continue;
    if (remove(id)) collected.push_back(id);
  }
  return collected;
}

}  // namespace sandbox
