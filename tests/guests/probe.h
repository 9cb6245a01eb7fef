#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>

/// The attacker's side of tests/attacks: one static program that takes words.
///
///     probe unshare            prints a line for each attempt: "unshare(user) EPERM"
///
/// A line is the attempt and its result: "ok" or the name of the errno. Exit code 0 means that
/// everything was tried, whatever came of it; 2 a mistake in the words.
namespace probe {

struct Words {
  int count = 0;
  char** at = nullptr;
};

/// Prints "what ok" or "what EPERM".
inline void tell(const char* what, long result) {
  std::printf("%s %s\n", what, result < 0 ? ::strerrorname_np(errno) : "ok");
}

/// Prints one word of state and hands it to the reader at once.
inline void say(const char* word) {
  std::printf("%s\n", word);
  std::fflush(stdout);
}

// probe_calls.cc
int try_all_calls(Words words);
int try_foreign_abi(Words words);
// probe_kernel.cc
int try_namespaces(Words words);
int try_setns(Words words);
int try_mounts(Words words);
int try_handles(Words words);
int try_execution_domains(Words words);
int try_loosening_filters(Words words);
int try_terminals(Words words);
int try_devices(Words words);
int read_kernel_memory(Words words);
// probe_files.cc
int rewrite_file(Words words);
int list_writable_sysctls(Words words);
int attack_masks(Words words);
int rewrite_programs(Words words);
int list_links(Words words);
int search_for_text(Words words);
int make_deep_tree(Words words);
int make_locked_tree(Words words);
int search_unwritten_blocks(Words words);
// probe_process.cc
int print_status(Words words);
int hold_threads(Words words);
int run_program(Words words);
int list_processes(Words words);
int signal_init(Words words);
int trace_process(Words words);
int storm(Words words);
int stop_everybody(Words words);
int leave_daemon(Words words);
int leave_orphans(Words words);
int leave_zombies(Words words);
int steal_output(Words words);
int lose_first_thread(Words words);
int ignore_signals(Words words);
int print_arguments(Words words);
int list_descriptors(Words words);
// probe_sockets.cc
int try_sockets(Words words);
int look_at_network(Words words);
int attack_sudo(Words words);
// probe_channels.cc
int take_channels(Words words);
int look_at_channels(Words words);
// probe_limits.cc
int try_limits(Words words);
int open_many(Words words);
int flood(Words words);

}  // namespace probe
