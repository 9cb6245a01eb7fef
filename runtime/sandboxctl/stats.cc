// sandboxctl stats: what a sandbox uses, once or again and again.

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/sandbox_arguments.h"
#include "runtime/sandboxctl/signals.h"
#include "runtime/sandboxctl/stats_text.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kStatsUsage = "sandboxctl stats [-f [--interval D]] [--json] ID";
constexpr const char* kStatsFooter =
    "Memory, processes and processor are counted for sandboxes with a limit of any of them; the\n"
    "disk for those with a limit of the disk. With -f the processor is in percent of one, since\n"
    "the line before; it ends with the sandbox, or by SIGINT or SIGTERM.\n"
    "\n"
    "Exit codes: 0; 125 there is no such sandbox; 2 wrong command line.";

struct StatsRequest {
  std::string id{};
  bool json = false;
  bool follow = false;
  std::chrono::milliseconds interval{1000};
};

std::optional<StatsRequest> parse_stats(const std::vector<std::string>& arguments) {
  CLI::App app("Prints what a sandbox uses now and has used.", "stats");
  app.footer(kStatsFooter);
  StatsRequest request;
  std::string interval;
  app.add_flag("-f,--follow", request.follow, "a line each second, until it ends");
  add_value(app, "--interval", interval, "another time between two lines: 100ms, 10s, 5m");
  app.add_flag("--json", request.json, "print one JSON document, with -f one a line");
  std::vector<std::string> words;
  if (!parse_words(app, kStatsUsage, arguments, words)) return std::nullopt;
  if (words.size() != 1) throw usage_error("stats", "it takes one sandbox", kStatsUsage);
  request.id = words.front();
  if (app.count("--interval") == 0) return request;
  if (!request.follow) throw usage_error("--interval", "it goes with -f");
  request.interval = duration_of("--interval", interval);
  return request;
}

// Nothing when it has ended: its cgroup may be gone already.
std::optional<sandbox::SandboxStats> stats_of(const sandbox::Sandbox& box) {
  try {
    sandbox::SandboxStats stats = box.stats();
    pollfd ended{box.pidfd(), POLLIN, 0};
    if (::poll(&ended, 1, 0) == 0) return stats;
  } catch (const sandbox::Error& error) {
    if (error.code().value() != ENODEV && error.code().value() != ENOENT) throw;
  }
  return std::nullopt;
}

// Until `until`, or until there is something to see to.
void wait(const SignalInbox& inbox, int sandbox_pidfd, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd polled[] = {{inbox.fd(), POLLIN, 0}, {sandbox_pidfd, POLLIN, 0}};
  const int timeout = static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000));
  if (::poll(polled, 2, timeout) < 0 && errno != EINTR) throw system_failure("stats", "poll");
}

void follow(const sandbox::Sandbox& box, const StatsRequest& request) {
  const SignalInbox inbox;
  StatsStream stream;
  if (!request.json) print_output(StatsStream::head());
  for (Clock::time_point next = Clock::now(); !inbox.next_ending();) {
    const Clock::time_point now = Clock::now();
    if (now < next) {
      wait(inbox, box.pidfd(), next);
      continue;
    }
    const auto stats = stats_of(box);
    if (!stats) break;
    print_output(request.json ? stream.document(*stats, now, std::chrono::system_clock::now())
                              : stream.line(*stats, now));
    next = now + request.interval;
  }
}

}  // namespace

int stats(const std::vector<std::string>& arguments) {
  const std::optional<StatsRequest> request = parse_stats(arguments);
  if (!request) return 0;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, request->id);
  if (request->follow) {
    follow(box, *request);
    return 0;
  }
  const sandbox::SandboxStats stats = box.stats();
  print_output(request->json ? dump(stats_fields(stats)) : stats_table(stats));
  return 0;
}

}  // namespace sandboxctl
