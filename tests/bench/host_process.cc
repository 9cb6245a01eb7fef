#include "tests/bench/host_process.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "tests/bench/operations.h"

namespace sandbox::bench {
namespace {

// Never given back: the process ends with it.
void make_resident(std::size_t bytes) {
  if (bytes == 0) return;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw Error(errno, "mmap", "resident memory");
  check(::madvise(memory, bytes, MADV_NOHUGEPAGE), "madvise");
  check(::madvise(memory, bytes, MADV_POPULATE_WRITE), "madvise(MADV_POPULATE_WRITE)");
}

void start_idle_threads(int count) {
  for (int i = 0; i < count; ++i) {
    std::thread([] {
      for (;;) ::pause();
    }).detach();
  }
}

void serve(int socket, std::size_t resident_bytes, int threads) {
  make_resident(resident_bytes);
  start_idle_threads(threads);
  Runtime runtime;
  int64_t answer = 0;  // The first one: ready.
  for (;;) {
    check(::send(socket, &answer, sizeof(answer), MSG_NOSIGNAL), "send");
    char request = 0;
    if (check(::recv(socket, &request, 1, 0), "recv") == 0) return;
    answer = time_create(runtime).count();
  }
}

int64_t receive_answer(int socket) {
  int64_t answer = 0;
  if (check(::recv(socket, &answer, sizeof(answer), MSG_WAITALL), "recv") != sizeof(answer)) {
    throw Error(EPIPE, "recv", "host process");
  }
  return answer;
}

}  // namespace

HostProcess::HostProcess(std::size_t resident_bytes, int threads) {
  std::array<int, 2> ends{-1, -1};
  check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  socket_.reset(ends[0]);
  UniqueFd theirs(ends[1]);
  pid_ = check(::fork(), "fork");
  if (pid_ == 0) {
    socket_.reset();
    int status = 0;
    try {
      serve(theirs.get(), resident_bytes, threads);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "host process: %s\n", error.what());
      status = 1;
    }
    ::_exit(status);
  }
  theirs.reset();
  receive_answer(socket_.get());
}

HostProcess::~HostProcess() {
  socket_.reset();  // Its end of file.
  ::waitpid(pid_, nullptr, 0);
}

Duration HostProcess::time_create() {
  check(::send(socket_.get(), "c", 1, MSG_NOSIGNAL), "send", "host process");
  return Duration(receive_answer(socket_.get()));
}

}  // namespace sandbox::bench
