#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/file_call.h"
#include "proc/control_request.h"
#include "proc/status_message.h"
#include "proc/sudo_request.h"
#include "runtime/box_record.h"
#include "runtime/init/launch_request.h"
#include "runtime/init/setup_report.h"
#include "sandbox/error.h"
#include "templates/accounts.h"
#include "tests/fuzz/decoders.h"

namespace sandbox::test {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Decoder refusing(std::string name, const std::function<void(std::span<const std::byte>)>& decode,
                 std::vector<Bytes> corpus) {
  return {.name = std::move(name),
          .decode =
              [decode](std::span<const std::byte> input) {
                try {
                  decode(input);
                } catch (const Error&) {
                }
              },
          .corpus = std::move(corpus)};
}

Bytes launch_request() {
  const HostPath usr{.path = "/usr", .device = 1, .inode = 2};
  LaunchRequest request;
  request.root.lowerdirs = {usr, usr};
  request.root.read_only_trees = {{usr, "usr"}};
  request.root.upper_directory = usr;
  request.root.binds = {{.source = usr, .target = "/work", .read_only = false}};
  request.ids = IdMap({{0, 100000, 1000}, {1000, 1000, 1}}, {{0, 100000, 65536}});
  request.map_writer = MapWriter::Newuidmap;
  request.allow_filter = bytes_of("12345678");
  request.deny_filter = bytes_of("87654321");
  return request.encode();
}

Bytes spawn_request() {
  SpawnRequest request;
  request.argv = {"python3", "-c", ""};
  request.env = {"PATH=/usr/bin"};
  request.programs = {"/usr/local/bin/python3", "/usr/bin/python3"};
  request.cwd = "/home/user";
  request.groups = {4, 24};
  request.timeout_ms = 1000;
  return encode(ControlRequest(request));
}

Bytes sudo_request() {
  SpawnRequest request;
  request.argv = {"apt-get", "update"};
  request.env = {"PATH=/usr/bin", "SUDO_USER=user"};
  request.programs = {"/usr/bin/apt-get"};
  request.groups = {0};
  request.has_stdin = true;
  return encode_sudo_request(request);
}

Bytes terminal_request() {
  SpawnRequest request;
  request.argv = {"bash"};
  request.terminal = TerminalSize{.cols = 100, .rows = 30};
  return encode(ControlRequest(request));
}

std::vector<Bytes> control_requests() {
  return {spawn_request(),
          terminal_request(),
          encode(ControlRequest(Release{})),
          encode(ControlRequest(GetRoot{})),
          encode(ControlRequest(SetTtl{1000})),
          encode(ControlRequest(Describe{})),
          encode(ControlRequest(GetTcpTables{})),
          encode(ControlRequest(Dial{.port = 8080, .address = LocalAddress::Ipv6})),
          encode(ControlRequest(ListCommands{})),
          encode(ControlRequest(ConnectRequest{.pid = 7, .tag = "job", .out_from = 3})),
          encode(ControlRequest(SignalCommand{7, {SIGTERM, Target::Tree}}))};
}

std::string box_record() {
  BoxRecord record;
  record.id = "0123456789ab";
  record.env = {{"A", "b"}, {"C", "\xff"}};
  record.users = {{"user", {.uid = 1000, .gid = 1000, .groups = {4}, .home = "/home/user"}}};
  record.names.uids = {{1000, 1000, 1}};
  record.names.users = {{1000, "user"}};
  record.volumes = {12};
  record.layers = {{"ids", "auto", "single", ""}};
  return record.to_json();
}

void parse_box_record(std::span<const std::byte> input) {
  BoxRecord::from_json({reinterpret_cast<const char*>(input.data()), input.size()});
}

CommandInfo listed_command() {
  CommandInfo command;
  command.pid = 7;
  command.argv = {"sleep", "1000"};
  command.env_names = {"PATH"};
  command.outcome = OutputLimit{100};
  return command;
}

std::vector<Bytes> status_messages() {
  return {encode(StatusMessage(Started{42})),
          encode(StatusMessage(StartFailed{ENOENT, "execve", "no-such", "install it"})),
          encode(StatusMessage(Ended{Exited{7}, {}})),
          encode(StatusMessage(Ended{Signaled{SIGSEGV, true}, {}})),
          encode(StatusMessage(SignalRequest{SIGTERM, Target::Tree})),
          encode(StatusMessage(Gap{Stream::Stderr, 1, 2})),
          encode(StatusMessage(Detach{}))};
}

std::vector<Bytes> setup_reports() {
  return {encode(SetupReport(Cloned{4242})),
          encode(SetupReport(Ready{{{"ids", 12}, {"root", 34}}, 7, ""})),
          encode(SetupReport(SetupFailed{"root", EPERM, "mount", "proc", "unmask it"}))};
}

Bytes file_request() {
  return FileRequest(1000, 1000, {.kind = FileCall::Kind::Rename, .name = "a", .other_name = "b"})
      .encode();
}

void parse_accounts(std::span<const std::byte> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const Accounts accounts(text, text);
  for (const Account& account : accounts.all()) accounts.supplementary_groups(account.name);
}

}  // namespace

std::vector<Decoder> message_decoders() {
  return {
      refusing("launch_request", [](auto input) { LaunchRequest::decode(input); },
               {launch_request()}),
      refusing(
          "control_request", [](auto input) { decode_control_request(input); }, control_requests()),
      refusing("control_reply", [](auto input) { decode_control_reply(input); },
               {encode(ControlReply(State{1, 2})), encode(ControlReply(Done{})),
                encode(ControlReply(CommandList{{listed_command()}})),
                encode(ControlReply(Signalled{true}))}),
      refusing("sudo_request", [](auto input) { decode_sudo_request(input); }, {sudo_request()}),
      refusing("box_record", parse_box_record, {bytes_of(box_record())}),
      refusing(
          "status_message", [](auto input) { decode_status(input); }, status_messages()),
      refusing(
          "setup_report", [](auto input) { decode_setup_report(input); }, setup_reports()),
      refusing("file_request", [](auto input) { FileRequest(input, std::vector<UniqueFd>(2)); },
               {file_request()}),
      refusing("file_answer", [](auto input) { decode_file_answer(input, {}); },
               {encode(FileAnswer{.value = 5, .error = 0, .fd = {}, .text = "value"})}),
      // Refuses nothing: what is wrong is passed over.
      {"accounts",
       parse_accounts,
       {bytes_of("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/bash\n"),
        bytes_of("audio:x:29:user,other\nvideo:x:44:\n")}}};
}

}  // namespace sandbox::test
