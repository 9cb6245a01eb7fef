// Everyday programs from the `host` template, and what the profiles let through.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "tests/runtime/box.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::Box;
using test::require_program;
using ::testing::HasSubstr;

// What a program needs to be in the sandbox: it lies below /usr, not in somebody's home.
void require_system_program(const std::string& name) {
  require_program(name);
  if (!std::filesystem::exists("/usr/bin/" + name)) require_program("/usr/bin/" + name);
}

// Its stdout; tools may chat on stderr.
std::string said(const std::string& script, const SandboxOptions& options = {}) {
  const Box box(options);
  const CommandResult result = box.sh(script);
  EXPECT_EQ(result.outcome, Outcome(Exited{0})) << result.stderr_text;
  return result.stdout_text;
}

TEST(Tools, GccCompilesAndTheProgramRuns) {
  require_system_program("gcc");
  EXPECT_EQ(said("echo 'int puts(const char*); int main() { puts(\"hello\"); }' > a.c && "
                 "gcc -O1 -o a a.c && ./a"),
            "hello\n");
}

TEST(Tools, CmakeConfiguresAndBuilds) {
  require_system_program("cmake");
  require_system_program("gcc");
  require_system_program("make");
  EXPECT_THAT(said("echo 'int main() { return 0; }' > a.c && "
                   "printf 'cmake_minimum_required(VERSION 3.5)\\nproject(a C)\\n"
                   "add_executable(a a.c)\\n' > CMakeLists.txt && "
                   "cmake -S . -B build -G 'Unix Makefiles' > log && "
                   "cmake --build build >> log && build/a && echo built"),
              HasSubstr("built"));
}

TEST(Tools, GitCommitsAndClones) {
  require_system_program("git");
  EXPECT_EQ(said("git init -q a && cd a && echo x > f && git add f && "
                 "git -c user.name=n -c user.email=e commit -qm first && cd .. && "
                 "git clone -q a b && git -C b log --format=%s"),
            "first\n");
}

TEST(Tools, NodeRuns) {
  require_system_program("node");
  EXPECT_EQ(said("node -e 'console.log(6 * 7)'"), "42\n");
}

TEST(Tools, PythonRuns) {
  require_system_program("python3");
  EXPECT_EQ(said("python3 -c 'print(6 * 7)'"), "42\n");
}

TEST(Tools, PythonThreadsAndProcessesRun) {
  require_system_program("python3");
  EXPECT_EQ(said("python3 -c '\n"
                 "from multiprocessing import Pool\n"
                 "print(sum(Pool(2).map(abs, [-1, -2])))'"),
            "3\n");
}

TEST(Tools, PythonMakesAVirtualEnvironment) {
  require_system_program("python3");
  EXPECT_EQ(said("python3 -m venv --without-pip env && env/bin/python -c "
                 "'import sys; print(sys.prefix)'"),
            "/home/user/env\n");
}

TEST(Tools, PerlRuns) {
  require_system_program("perl");
  EXPECT_EQ(said("perl -e 'print 6 * 7'"), "42");
}

TEST(Tools, TmuxRunsASession) {
  require_system_program("tmux");
  EXPECT_EQ(said("export TERM=xterm; tmux -L s new-session -d 'exec sleep 1000'"
                 " && tmux -L s run-shell 'echo inside > ~/out' && tmux -L s kill-server; cat out"),
            "inside\n");
}

TEST(Tools, SharedMemoryAndSemaphoresWork) {
  require_system_program("python3");
  EXPECT_EQ(said("python3 -c '\n"
                 "from multiprocessing import shared_memory, Semaphore\n"
                 "s = shared_memory.SharedMemory(create=True, size=100); Semaphore()\n"
                 "print(s.size); s.close(); s.unlink()'"),
            "100\n");
}

TEST(Profile, DevLetsADebuggerTrace) {
  require_system_program("strace");
  const Box box(SandboxOptions{.profile = Profile::Dev});
  EXPECT_EQ(box.sh("strace -f -o trace sh -c /bin/true && grep -q execve trace").outcome,
            Outcome(Exited{0}));
}

TEST(Profile, DefaultDoesNot) {
  require_system_program("strace");
  const Box box;
  EXPECT_NE(box.sh("strace -o trace /bin/true").outcome, Outcome(Exited{0}));
}

TEST(Profile, DevRunsGdb) {
  require_system_program("gdb");
  const Box box(SandboxOptions{.profile = Profile::Dev});
  EXPECT_THAT(box.sh("gdb -nx -batch -ex run --args /bin/true").stdout_text,
              HasSubstr("exited normally"));
}

TEST(Profile, StrictRunsProgramsWithoutANetwork) {
  require_system_program("python3");
  const Box box(SandboxOptions{.profile = Profile::Strict});
  EXPECT_EQ(box.out("python3 -c 'print(6 * 7)'"), "42\n");
  EXPECT_NE(box.sh("python3 -c 'import socket; socket.socket()'").outcome, Outcome(Exited{0}));
}

}  // namespace
}  // namespace sandbox
