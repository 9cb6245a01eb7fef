#include "tests/fuzz/decoders.h"

#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include "proc/spawn_request.h"
#include "proc/status_message.h"
#include "runtime/init/launch_request.h"
#include "runtime/init/setup_report.h"
#include "sandbox/error.h"
#include "templates/accounts.h"

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
  const auto [ours, theirs] = MessageSocket::pair();
  request.send(ours, {});
  return theirs.receive()->payload;
}

std::vector<Bytes> status_messages() {
  return {encode(StatusMessage(Started{42})),
          encode(StatusMessage(StartFailed{ENOENT, "execve", "no-such", "install it"})),
          encode(StatusMessage(Ended{Exited{7}, {}})),
          encode(StatusMessage(Ended{Signaled{SIGSEGV, true}, {}})),
          encode(StatusMessage(SignalRequest{SIGTERM, Target::Tree}))};
}

std::vector<Bytes> setup_reports() {
  return {encode(SetupReport(Cloned{4242})),
          encode(SetupReport(Ready{{{"ids", 12}, {"root", 34}}, 7, ""})),
          encode(SetupReport(SetupFailed{"root", EPERM, "mount", "proc", "unmask it"}))};
}

void parse_accounts(std::span<const std::byte> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const Accounts accounts(text, text);
  for (const Account& account : accounts.all()) accounts.supplementary_groups(account.name);
}

}  // namespace

const std::vector<Decoder>& decoders() {
  static const std::vector<Decoder> all = {
      refusing("launch_request", [](auto input) { LaunchRequest::decode(input); },
               {launch_request()}),
      refusing("spawn_request", [](auto input) { SpawnRequest::decode(input); }, {spawn_request()}),
      refusing(
          "status_message", [](auto input) { decode_status(input); }, status_messages()),
      refusing(
          "setup_report", [](auto input) { decode_setup_report(input); }, setup_reports()),
      // Refuses nothing: what is wrong is passed over.
      {"accounts",
       parse_accounts,
       {bytes_of("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/bash\n"),
        bytes_of("audio:x:29:user,other\nvideo:x:44:\n")}}};
  return all;
}

}  // namespace sandbox::test
