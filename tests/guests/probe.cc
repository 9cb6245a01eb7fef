#include "tests/guests/probe.h"

#include <cstdio>
#include <cstring>

namespace {

struct Verb {
  const char* word;
  int (*run)(probe::Words words);
};

constexpr Verb kVerbs[] = {
    {"arguments", probe::print_arguments},
    {"calls", probe::try_all_calls},
    {"channels-look", probe::look_at_channels},
    {"channels-take", probe::take_channels},
    {"daemon", probe::leave_daemon},
    {"deep-tree", probe::make_deep_tree},
    {"descriptors", probe::list_descriptors},
    {"devices", probe::try_devices},
    {"domains", probe::try_execution_domains},
    {"exec", probe::run_program},
    {"filters", probe::try_loosening_filters},
    {"flood", probe::flood},
    {"foreign-abi", probe::try_foreign_abi},
    {"handles", probe::try_handles},
    {"headless", probe::lose_first_thread},
    {"ignore-signals", probe::ignore_signals},
    {"kernel-memory", probe::read_kernel_memory},
    {"limits", probe::try_limits},
    {"links", probe::list_links},
    {"locked-tree", probe::make_locked_tree},
    {"masks", probe::attack_masks},
    {"mounts", probe::try_mounts},
    {"namespaces", probe::try_namespaces},
    {"network", probe::look_at_network},
    {"open-many", probe::open_many},
    {"orphans", probe::leave_orphans},
    {"processes", probe::list_processes},
    {"programs", probe::rewrite_programs},
    {"rewrite", probe::rewrite_file},
    {"search", probe::search_for_text},
    {"setns", probe::try_setns},
    {"signal-init", probe::signal_init},
    {"sockets", probe::try_sockets},
    {"status", probe::print_status},
    {"steal-output", probe::steal_output},
    {"stop-everybody", probe::stop_everybody},
    {"storm", probe::storm},
    {"sudo", probe::attack_sudo},
    {"sysctls", probe::list_writable_sysctls},
    {"terminals", probe::try_terminals},
    {"threads", probe::hold_threads},
    {"trace", probe::trace_process},
    {"unwritten", probe::search_unwritten_blocks},
    {"zombies", probe::leave_zombies},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Verb& verb : kVerbs) {
    if (argc > 1 && std::strcmp(argv[1], verb.word) == 0) {
      const int result = verb.run({.count = argc - 2, .at = argv + 2});
      std::fflush(stdout);
      return result;
    }
  }
  std::fputs("usage: probe VERB [WORD...]; tests/guests/probe.cc has the verbs\n", stderr);
  return 2;
}
