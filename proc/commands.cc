#include "sandbox/commands.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "proc/command_context.h"
#include "proc/control_call.h"
#include "proc/control_request.h"
#include "proc/status_message.h"
#include "runtime/base/duplicate_fd.h"
#include "runtime/base/pipe.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargestEnvironment = 128 << 10;
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

using Environment = std::map<std::string, std::string>;

void require_no_nul(std::string_view text, std::string_view what) {
  if (text.find('\0') == std::string_view::npos) return;
  throw Error(EINVAL, "execve", what, "it contains a NUL byte, at which the kernel would cut it");
}

void require_valid_argv(const std::vector<std::string>& argv) {
  if (argv.empty() || argv.front().empty()) {
    throw Error(EINVAL, "execve", "argv", "argv[0] names the program and must not be empty");
  }
  for (const std::string& argument : argv) require_no_nul(argument, "argument");
}

void require_valid_variable(const std::string& name, const std::string& value) {
  if (name.empty() || name.find('=') != std::string::npos) {
    throw Error(EINVAL, "execve", name, "a variable name must not be empty or contain '='");
  }
  require_no_nul(name, "variable name");
  require_no_nul(value, name);
}

using NamedUser = std::map<std::string, CommandUser>::value_type;

const NamedUser& find_user(const CommandContext& context, const std::string& name_or_uid) {
  const auto at = context.users.find(name_or_uid);
  if (at != context.users.end()) return *at;
  for (const NamedUser& user : context.users) {
    if (std::to_string(user.second.uid) == name_or_uid) return user;
  }
  throw Error(EINVAL, "find user", name_or_uid,
              "the sandbox has no such user in its id map; with a single id there is only the user "
              "it was created for, `ids: range` gives the others");
}

// Nothing of the host's environment: it holds tokens, sockets and LD_ variables.
Environment merge_environment(const CommandContext& context, const Command& command,
                              const std::string& user_name, const CommandUser& user) {
  Environment merged = command.env;
  merged.insert(context.env.begin(), context.env.end());
  if (command.terminal) merged.insert({{"TERM", "xterm-256color"}, {"LC_ALL", "C.UTF-8"}});
  merged.insert({{"PATH", std::string(kDefaultPath)},
                 {"HOME", user.home},
                 {"USER", user_name},
                 {"LANG", "C.UTF-8"}});
  return merged;
}

std::vector<std::string> flatten(const Environment& environment) {
  std::vector<std::string> flat;
  std::size_t total = 0;
  for (const auto& [name, value] : environment) {
    require_valid_variable(name, value);
    std::string& variable = flat.emplace_back(name);
    variable.append(1, '=').append(value);
    total += variable.size() + 1;
  }
  if (total > kLargestEnvironment) {
    throw Error(E2BIG, "execve", "environment", "all variables together may have 128 KiB");
  }
  return flat;
}

// Where execvp(3) would look, with the PATH that the command will see.
std::vector<std::string> candidate_programs(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> candidates;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string directory = path.substr(begin, end - begin);
    candidates.push_back((directory.empty() ? "." : directory) + '/' + name);
    begin = end + 1;
  }
  return candidates;
}

std::string absolute_cwd(const std::string& cwd, const std::string& home,
                         const std::string& otherwise) {
  require_no_nul(cwd, "cwd");
  if (cwd.empty()) return otherwise.empty() ? home : otherwise;
  return cwd.front() == '/' ? cwd : home + '/' + cwd;
}

uint64_t milliseconds_of(const std::optional<std::chrono::milliseconds>& limit,
                         std::string_view name) {
  if (!limit) return 0;
  if (limit->count() > 0) return static_cast<uint64_t>(limit->count());
  throw Error(EINVAL, "start", name, "a time limit is more than zero");
}

OutputPolicy output_policy(const Command& command) {
  constexpr uint64_t kLongestTail = 16 << 20;
  OutputPolicy policy{.output = command.output, .on_excess = command.on_excess};
  if (!command.max_output) return policy;
  policy.max_bytes = *command.max_output;
  if (policy.max_bytes == 0) {
    throw Error(EINVAL, "start", "max_output", "a limit of output is more than zero");
  }
  if (policy.on_excess == OnExcess::KeepTail && policy.max_bytes > kLongestTail) {
    throw Error(EINVAL, "start", "max_output", "a tail may have 16 MiB: PID 1 has it in memory");
  }
  return policy;
}

const std::string& valid_tag(const std::string& tag) {
  constexpr std::size_t kLongestTag = 256;
  if (tag.size() <= kLongestTag) return tag;
  throw Error(EINVAL, "start", "tag", "a tag may have 256 bytes");
}

SpawnRequest make_request(const CommandContext& context, const Command& command) {
  require_valid_argv(command.argv);
  const auto& [user_name, user] =
      find_user(context, command.user.empty() ? context.default_user : command.user);
  const Environment environment = merge_environment(context, command, user_name, user);
  SpawnRequest request;
  request.argv = command.argv;
  request.env = flatten(environment);
  request.programs = candidate_programs(command.argv.front(), environment.at("PATH"));
  request.cwd = absolute_cwd(command.cwd, user.home, context.default_cwd);
  request.uid = user.uid;
  request.gid = user.gid;
  request.groups = user.groups;
  request.timeout_ms = milliseconds_of(command.timeout, "timeout");
  request.cpu_ms = milliseconds_of(command.cpu_time, "cpu_time");
  request.idle_ms = milliseconds_of(command.idle_timeout, "idle_timeout");
  request.terminal = command.terminal;
  request.has_stdin = command.input == Stdin::Pipe && !command.terminal;
  request.output = output_policy(command);
  request.tag = valid_tag(command.tag);
  return request;
}

struct Start {
  pid_t pid = 0;
  UniqueFd input;  // Of a kept command that reads stdin; the master of a terminal.
};

Start receive_start(int status, std::string_view what) {
  std::optional<Message> message = receive_message(status);
  if (!message)
    throw Error(EPIPE, what, "sandbox",
                "the sandbox has ended, or runs as many commands as init has descriptors for");
  const StatusMessage decoded = decode_status(message->payload);
  if (const auto* started = std::get_if<Started>(&decoded)) {
    Start start{.pid = started->pid, .input = {}};
    if (!message->fds.empty()) start.input = std::move(message->fds.front());
    return start;
  }
  if (const auto* failed = std::get_if<StartFailed>(&decoded)) {
    throw Error(failed->error, failed->call, failed->subject, failed->hint);
  }
  throw Error(EBADMSG, what, "status message");
}

std::function<Outcome()> ask_witness(const std::shared_ptr<const EndWitness>& witness) {
  if (!witness) return {};
  return [witness, before = witness->oom_kills()] { return witness->explain(before); };
}

// To keep beside the copies for the two directions, which are closed before; the last to close
// hangs up. Nothing where `input` is a pipe.
UniqueFd terminal_of(const UniqueFd& input) {
  return input && ::isatty(input.get()) == 1 ? duplicate(input.get()) : UniqueFd();
}

bool is_missing_program(const Error& error) {
  return error.code().value() == ENOENT && error.call() == "execve";
}

Follow follow_of(Process::Feed feed, Stdin input) {
  if (feed == Process::Feed::Snapshot) return Follow::No;
  return input == Stdin::Pipe ? Follow::AtItsPace : Follow::Yes;
}

bool goes_through_init(const Command& command) {
  return command.output == Output::Kept || command.max_output || command.idle_timeout;
}

// Keeps the head of each stream.
class Capture {
 public:
  explicit Capture(CommandResult& result) : result_(result) {}

  void add(Stream from, std::string_view chunk) {
    std::string& text = from == Stream::Stdout ? result_.stdout_text : result_.stderr_text;
    const std::size_t room = Commands::kCaptureBytes - text.size();
    text.append(chunk.substr(0, room));
    result_.dropped_bytes += chunk.size() - std::min(room, chunk.size());
  }
  void skip(const OutputGap& gap) { result_.dropped_bytes += gap.bytes; }

 private:
  CommandResult& result_;
};

struct ExitCode {
  int operator()(const Exited& exited) const { return exited.code; }
  int operator()(const Signaled& signaled) const { return 128 + signaled.signal; }
  int operator()(const TimedOut&) const { return 124; }
  int operator()(const OutputLimit&) const { return 128 + SIGKILL; }
  int operator()(const OutOfMemory&) const { return 137; }
  int operator()(const PidLimit& limit) const { return limit.exit_code; }
  int operator()(const DiskLimit& limit) const { return limit.exit_code; }
  int operator()(const SandboxGone&) const { return 125; }
};

}  // namespace

int CommandResult::exit_code() const { return std::visit(ExitCode{}, outcome); }

Process Commands::start(const Command& command) {
  if (!command.terminal || !command.argv.empty()) return start_program(command);
  Command shell = command;
  shell.argv = {"/bin/bash", "-i", "-l"};
  try {
    return start_program(shell);
  } catch (const Error& error) {
    if (!is_missing_program(error)) throw;
  }
  shell.argv = {"/bin/sh", "-i", "-l"};
  return start_program(shell);
}

// Straight to the host, which has the terminal to itself.
Process Commands::start_in_terminal(const Command& command) {
  SpawnRequest request = make_request(*context_, command);
  std::function<Outcome()> when_gone = ask_witness(context_->witness);
  auto [ours, theirs] = MessageSocket::pair();
  const int status = theirs.fd();
  context_->control.send(encode(ControlRequest(std::move(request))), {&status, 1});
  theirs = MessageSocket();
  Start start = receive_start(ours.fd(), "start");
  if (!start.input) throw Error(EBADMSG, "start", "status message");
  check(::fcntl(start.input.get(), F_SETFL, O_RDWR | O_NONBLOCK), "fcntl(F_SETFL)", "terminal");
  UniqueFd reader = duplicate(start.input.get());
  UniqueFd terminal = duplicate(start.input.get());
  return Process(start.pid, {.status = ours.release(),
                             .stdin_writer = std::move(start.input),
                             .stdout_reader = std::move(reader),
                             .stderr_reader = UniqueFd(),
                             .terminal = std::move(terminal),
                             .when_gone = std::move(when_gone)});
}

Process Commands::start_program(const Command& command) {
  if (command.terminal && !goes_through_init(command)) return start_in_terminal(command);
  SpawnRequest request = make_request(*context_, command);
  const bool is_kept = command.output == Output::Kept;
  const bool has_pipe = request.has_stdin && !is_kept;
  const bool through_init = goes_through_init(command);
  std::function<Outcome()> when_gone = ask_witness(context_->witness);
  auto [ours, theirs] = MessageSocket::pair();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Pipe in = has_pipe ? make_pipe() : Pipe{};
  const std::array fds{theirs.fd(), out.writer.get(), err.writer.get(), in.reader.get()};
  context_->control.send(encode(ControlRequest(std::move(request))),
                         std::span(fds).first(has_pipe ? 4 : 3));
  // Ours must be the only copies: an open writer would hide the end of file.
  theirs = MessageSocket();
  out.writer.reset();
  err.writer.reset();
  in.reader.reset();
  Start start = receive_start(ours.fd(), "start");
  UniqueFd terminal = terminal_of(start.input);
  return Process(start.pid,
                 {.status = ours.release(),
                  .stdin_writer = start.input ? std::move(start.input) : std::move(in.writer),
                  .stdout_reader = std::move(out.reader),
                  .stderr_reader = std::move(err.reader),
                  .terminal = std::move(terminal),
                  .feed = through_init ? Process::Feed::Init : Process::Feed::Command,
                  .output = command.output,
                  .when_gone = std::move(when_gone)});
}

CommandResult Commands::run(const Command& command) {
  CommandResult result;
  Capture capture(result);
  Process process = start(command);
  process.close_stdin();
  process.stream([&](Stream from, std::string_view chunk) { capture.add(from, chunk); },
                 [&](const OutputGap& gap) { capture.skip(gap); });
  result.outcome = process.wait();
  result.usage = process.usage();
  return result;
}

CommandResult Commands::run(std::string_view line, Command how) {
  if (!how.argv.empty()) throw Error(EINVAL, "run", "argv", "give a line or an argv, not both");
  how.argv = {"/bin/bash", "-l", "-c", std::string(line)};
  try {
    return run(how);
  } catch (const Error& error) {
    if (!is_missing_program(error)) throw;
  }
  how.argv = {"/bin/sh", "-c", std::string(line)};
  return run(how);
}

std::vector<CommandInfo> Commands::list() const {
  const ControlCall call(context_->control, ListCommands{});
  return std::get<CommandList>(call.wait(kInitPatience).reply).commands;
}

Process Commands::connect(pid_t pid, const ConnectOptions& from) const {
  return connect_to(pid, {}, from, Process::Feed::Init);
}

Process Commands::connect(const std::string& tag, const ConnectOptions& from) const {
  return connect_to(0, tag, from, Process::Feed::Init);
}

void Commands::replay(pid_t pid, const OutputCallback& callback, const GapCallback& on_gap,
                      const ConnectOptions& from) const {
  connect_to(pid, {}, from, Process::Feed::Snapshot).stream(callback, on_gap);
}

Process Commands::connect_to(pid_t pid, const std::string& tag, const ConnectOptions& from,
                             Process::Feed feed) const {
  const ConnectRequest request{.pid = pid,
                               .tag = tag,
                               .out_from = from.stdout_from,
                               .err_from = from.stderr_from,
                               .follow = follow_of(feed, from.input)};
  auto [ours, theirs] = MessageSocket::pair();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const std::array fds{theirs.fd(), out.writer.get(), err.writer.get()};
  context_->control.send(encode(ControlRequest(request)), fds);
  theirs = MessageSocket();
  out.writer.reset();
  err.writer.reset();
  Start start = receive_start(ours.fd(), "connect");
  UniqueFd terminal = terminal_of(start.input);
  if (from.input == Stdin::Empty) start.input.reset();
  return Process(start.pid, {.status = ours.release(),
                             .stdin_writer = std::move(start.input),
                             .stdout_reader = std::move(out.reader),
                             .stderr_reader = std::move(err.reader),
                             .terminal = std::move(terminal),
                             .feed = feed,
                             .output = Output::Kept,
                             .offsets = {from.stdout_from, from.stderr_from},
                             .when_gone = ask_witness(context_->witness)});
}

bool Commands::kill(pid_t pid, int signal, Target target) const {
  require_signal(signal);
  if (pid == 1) {
    throw Error(EINVAL, "kill", "1", "PID 1 is the sandbox itself: destroy it, `sandboxctl rm`");
  }
  const ControlCall call(context_->control,
                         SignalCommand{.pid = pid, .signal = {.signal = signal, .target = target}});
  return std::get<Signalled>(call.wait(kInitPatience).reply).existed;
}

}  // namespace sandbox
