#include "runtime/init/plumbing.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "proc/pseudo_terminal.h"
#include "runtime/base/duplicate_fd.h"
#include "runtime/base/pipe.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// What a kept command is to outlive, and what is to be counted or timed, cannot go past us.
bool must_go_through_us(const SpawnRequest& request) {
  return request.output.output == Output::Kept || request.output.max_bytes != 0 ||
         request.idle_ms != 0;
}

UniqueFd open_nothing() {
  return UniqueFd(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
}

Plumbing lay_terminal(const SpawnRequest& request, std::vector<UniqueFd> fds) {
  Plumbing plumbing;
  plumbing.through_us = must_go_through_us(request);
  if (fds.size() != (plumbing.through_us ? 2U : 0U)) throw Error(EBADMSG, "spawn", "descriptors");
  PseudoTerminal terminal = open_pseudo_terminal(*request.terminal, request.uid);
  plumbing.stdio.out = duplicate(terminal.slave.get());
  plumbing.stdio.err = duplicate(terminal.slave.get());
  plumbing.stdio.in = std::move(terminal.slave);
  if (!plumbing.through_us) {
    plumbing.terminal = std::move(terminal.master);
    return plumbing;
  }
  plumbing.client_out = std::move(fds[0]);
  plumbing.client_err = std::move(fds[1]);
  plumbing.sources.out = duplicate(terminal.master.get());
  plumbing.sources.input = std::move(terminal.master);
  return plumbing;
}

}  // namespace

Plumbing lay_pipes(const SpawnRequest& request, std::vector<UniqueFd> fds) {
  if (request.terminal) return lay_terminal(request, std::move(fds));
  const bool is_kept = request.output.output == Output::Kept;
  const bool brings_stdin = request.has_stdin && !is_kept;
  if (fds.size() != (brings_stdin ? 3U : 2U)) throw Error(EBADMSG, "spawn", "descriptors");
  Plumbing plumbing;
  plumbing.stdio.out = std::move(fds[0]);
  plumbing.stdio.err = std::move(fds[1]);
  plumbing.stdio.in = brings_stdin ? std::move(fds[2]) : open_nothing();
  plumbing.through_us = must_go_through_us(request);
  if (!plumbing.through_us) return plumbing;

  Pipe out = make_pipe();
  Pipe err = make_pipe();
  plumbing.client_out = std::exchange(plumbing.stdio.out, std::move(out.writer));
  plumbing.client_err = std::exchange(plumbing.stdio.err, std::move(err.writer));
  plumbing.sources.out = std::move(out.reader);
  plumbing.sources.err = std::move(err.reader);
  if (request.has_stdin && is_kept) {
    Pipe in = make_pipe();
    plumbing.stdio.in = std::move(in.reader);
    plumbing.sources.input = std::move(in.writer);
  }
  return plumbing;
}

}  // namespace sandbox
