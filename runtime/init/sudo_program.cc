#include "runtime/init/sudo_program.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "fs/root_file_system.h"
#include "proc/status_message.h"
#include "proc/sudo_request.h"
#include "runtime/base/message_socket.h"
#include "runtime/init/sudo_options.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kHelp =
    "usage: sudo [-EHhinSs] [-u USER] [NAME=value...] [--] [COMMAND [ARG...]]\n"
    "Runs COMMAND as root, or USER, of this sandbox. No password is asked for.\n"
    "  -E  keep the environment    -i  login shell    -s  shell    -u USER  another user than "
    "root\n";

constexpr const char* kSecurePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What sudo lets through as it is: env_keep of sudoers(5), as far as it matters in here.
constexpr std::string_view kKept[] = {"COLORTERM", "DISPLAY",  "LANG", "LANGUAGE", "LC_ALL",
                                      "LC_CTYPE",  "NO_COLOR", "TERM", "TZ"};

using Environment = std::map<std::string, std::string>;

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string shell;
};

// fgetpwent(3), because getpwnam(3) loads plugins, which a static program cannot.
template <typename Match>
std::optional<Account> find_account(Match matches) {
  const File file(std::fopen("/etc/passwd", "re"));
  while (const passwd* entry = file ? ::fgetpwent(file.get()) : nullptr) {
    if (!matches(*entry)) continue;
    const std::string shell = entry->pw_shell;
    return Account{.name = entry->pw_name,
                   .uid = entry->pw_uid,
                   .gid = entry->pw_gid,
                   .home = entry->pw_dir,
                   .shell = shell.empty() ? "/bin/sh" : shell};
  }
  return std::nullopt;
}

Account target_account(const std::string& name) {
  const bool by_number = name.starts_with('#');
  const auto account = find_account([&](const passwd& entry) {
    return by_number ? name.substr(1) == std::to_string(entry.pw_uid) : name == entry.pw_name;
  });
  if (!account) throw SudoRefusal("unknown user " + name);
  return *account;
}

std::vector<gid_t> groups_of(const Account& account) {
  std::vector<gid_t> groups{account.gid};
  const File file(std::fopen("/etc/group", "re"));
  while (const group* entry = file ? ::fgetgrent(file.get()) : nullptr) {
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
      if (account.name == *member) groups.push_back(entry->gr_gid);
    }
  }
  return groups;
}

Environment own_environment() {
  Environment all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::size_t end = text.find('=');
    if (end != std::string_view::npos && end > 0)
      all.emplace(text.substr(0, end), text.substr(end + 1));
  }
  return all;
}

Environment target_environment(const SudoOptions& options, const Account& target) {
  const Environment own = own_environment();
  Environment env;
  if (options.keep_environment) env = own;
  for (const std::string_view name : kKept) {
    if (const auto at = own.find(std::string(name)); at != own.end()) env.insert(*at);
  }
  const auto caller = find_account([](const passwd& entry) { return entry.pw_uid == ::getuid(); });
  env["SUDO_USER"] = caller ? caller->name : std::to_string(::getuid());
  env["SUDO_UID"] = std::to_string(::getuid());
  env["SUDO_GID"] = std::to_string(::getgid());
  env["PATH"] = kSecurePath;
  env["LOGNAME"] = env["USER"] = target.name;
  env["SHELL"] = target.shell;
  if (!options.keep_environment) env["HOME"] = target.home;
  for (const std::string& variable : options.variables) {
    const std::size_t end = variable.find('=');
    env[variable.substr(0, end)] = variable.substr(end + 1);
  }
  return env;
}

// argv[0] of a login shell begins with '-'; the program is the same.
void make_shell_command(const SudoOptions& options, const Account& target, SpawnRequest& request) {
  const bool login = options.shell == SudoOptions::Shell::Login;
  const char* const preferred = std::getenv("SHELL");
  const std::string shell = login || preferred == nullptr ? target.shell : preferred;
  request.programs = {shell};
  request.argv = {login ? '-' + shell.substr(shell.rfind('/') + 1) : shell};
  if (options.command.empty()) return;
  request.argv.insert(request.argv.end(), {"-c", shell_line(options.command)});
}

void make_plain_command(const SudoOptions& options, const std::string& path,
                        SpawnRequest& request) {
  request.argv = options.command;
  const std::string& name = options.command.front();
  if (name.find('/') != std::string::npos) {
    request.programs = {name};
    return;
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    request.programs.push_back(path.substr(begin, end - begin) + '/' + name);
    begin = end + 1;
  }
}

SpawnRequest make_request(const SudoOptions& options, const Account& target) {
  SpawnRequest request;
  const Environment env = target_environment(options, target);
  for (const auto& [name, value] : env) request.env.emplace_back(name).append("=").append(value);
  if (options.shell != SudoOptions::Shell::None) {
    make_shell_command(options, target, request);
  } else if (options.command.empty() || options.command.front().empty()) {
    throw SudoRefusal(std::string("no command\n") + kHelp);
  } else {
    make_plain_command(options, env.at("PATH"), request);
  }
  request.uid = target.uid;
  request.gid = target.gid;
  request.groups = groups_of(target);
  request.has_stdin = true;
  return request;
}

std::optional<MessageSocket> connect_to_init() {
  UniqueFd socket{check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket")};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, kSudoSocket, sizeof(address.sun_path) - 1);
  const int connected =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (connected == 0) return MessageSocket(std::move(socket));
  if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
  throw Error(errno, "connect", kSudoSocket);
}

UniqueFd open_cwd(const SudoOptions& options, const Account& target) {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const bool login = options.shell == SudoOptions::Shell::Login;
  UniqueFd cwd{::open(login ? target.home.c_str() : ".", flags)};
  if (!cwd) cwd.reset(check(::open("/", flags), "open", "/"));
  return cwd;
}

// Everything that is for the command rather than for us.
constexpr int kForwarded[] = {SIGALRM, SIGCONT, SIGHUP,  SIGINT,   SIGQUIT,
                              SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP};

UniqueFd take_signals() {
  sigset_t forwarded;
  ::sigemptyset(&forwarded);
  for (const int signal : kForwarded) ::sigaddset(&forwarded, signal);
  check(::sigprocmask(SIG_BLOCK, &forwarded, nullptr), "sigprocmask");
  return UniqueFd(check(::signalfd(-1, &forwarded, SFD_CLOEXEC), "signalfd"));
}

// Ctrl-Z stops the command, and then us, so that the shell sees it.
void forward_signal(const MessageSocket& init, int signals) {
  signalfd_siginfo info{};
  if (check(::read(signals, &info, sizeof(info)), "read", "signal") != sizeof(info)) return;
  const auto signal = static_cast<int>(info.ssi_signo);
  const bool stop = signal == SIGTSTP;
  init.send(encode(SignalRequest{.signal = stop ? SIGSTOP : signal, .target = Target::Process}));
  if (stop) ::kill(::getpid(), SIGSTOP);
}

// As if we had been the command.
int end_like(const Outcome& outcome) {
  if (const auto* exited = std::get_if<Exited>(&outcome)) return exited->code;
  const auto* signaled = std::get_if<Signaled>(&outcome);
  if (signaled == nullptr) return 1;
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signaled->signal);
  ::signal(signaled->signal, SIG_DFL);
  ::raise(signaled->signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  return 128 + signaled->signal;
}

[[noreturn]] void refuse_start(const StartFailed& failed, const std::string& name) {
  if (failed.call != "execve") throw Error(failed.error, failed.call, failed.subject, failed.hint);
  if (failed.error == ENOENT) throw SudoRefusal(name + ": command not found");
  throw SudoRefusal(name + ": " + ::strerror(failed.error));
}

int attend(const MessageSocket& init, int signals, const std::string& name) {
  std::array<pollfd, 2> waiting{{{init.fd(), POLLIN, 0}, {signals, POLLIN, 0}}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
      throw Error(errno, "poll", "sudo");
    }
    if (waiting[0].revents != 0) {
      const std::optional<Message> message = init.receive();
      if (!message) throw SudoRefusal("this user may not, or too many run at once");
      const StatusMessage decoded = decode_status(message->payload);
      if (const auto* failed = std::get_if<StartFailed>(&decoded)) refuse_start(*failed, name);
      if (const auto* ended = std::get_if<Ended>(&decoded)) return end_like(ended->outcome);
    }
    if (waiting[1].revents != 0) forward_signal(init, signals);
  }
}

// With one id there is nobody to become. Who is that one already gets what he wants.
int run_as_oneself(const SpawnRequest& request) {
  if (request.uid != ::geteuid()) {
    throw SudoRefusal(
        "this sandbox has one user only; `sandboxctl run --ids range` makes one that has all");
  }
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (const std::string& word : request.argv) argv.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& word : request.env) envp.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  for (const std::string& program : request.programs) {
    ::execve(program.c_str(), argv.data(), envp.data());
  }
  throw SudoRefusal(request.argv.front() + ": " + ::strerror(errno));
}

// Who is refused may find the connection closed already, with the reason in it.
void ask(const MessageSocket& init, const SpawnRequest& request, std::span<const int> fds) {
  try {
    init.send(encode_sudo_request(request), fds);
  } catch (const Error& error) {
    if (error.code().value() != EPIPE) throw;
  }
}

int order(const SudoOptions& options) {
  const Account target = target_account(options.user);
  const SpawnRequest request = make_request(options, target);
  const std::optional<MessageSocket> init = connect_to_init();
  if (!init) return run_as_oneself(request);
  const UniqueFd signals = take_signals();
  const UniqueFd cwd = open_cwd(options, target);
  const std::array fds{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, cwd.get()};
  ask(*init, request, fds);
  return attend(*init, signals.get(), request.argv.front());
}

}  // namespace

int run_sudo(const std::vector<std::string>& words) try {
  const SudoOptions options = parse_sudo(words);
  if (options.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  return order(options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "sudo: %s\n", error.what());
  return 1;
}

}  // namespace sandbox
