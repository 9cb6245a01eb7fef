// Root of a sandbox with a range of ids has capabilities in its user namespace. What they are, and
// what they do not open. That the attempts are real ones is shown by the controls of Escape, and by
// those here.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <string>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;
using Results = std::map<std::string, std::string>;

// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE: bits 0, 1, 3 to 7
// and 10. Never among them: NET_ADMIN 12, NET_RAW 13, SYS_PTRACE 19, SYS_ADMIN 21, MKNOD 27.
constexpr const char* kRootInside = "00000000000004fb";
constexpr const char* kNone = "0000000000000000";

// Of an ordinary user it takes changes in memory.
Sandbox make_range_box(AttackBox& attack) {
  require_subordinate_ids();
  if (::geteuid() != 0) require_user_xattrs_on_tmpfs();
  SandboxOptions options = AttackBox::options();
  options.ids = Ids::Range;
  return attack.make(options);
}

CommandResult run_as_root(const Sandbox& box, const Words& argv) {
  Command how = command(argv);
  how.user = "root";
  return box.commands().run(how);
}

Results probe_as_root(const Sandbox& box, const Words& words) {
  Command how = probe_command(words);
  how.user = "root";
  return to_results(box.commands().run(how).stdout_text);
}

// As the host sees a running probe of `user`.
Results status_of_probe(const Sandbox& box, const std::string& user) {
  Command how = probe_command({"threads", "1"});
  how.user = user;
  how.input = Stdin::Pipe;
  Process process = box.commands().start(how);
  wait_for_word(process, "ready");
  return status_of_process(find_probe(box.host_pid(), "threads"));
}

TEST(RootInside, HasEightCapabilitiesAndNoMore) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  EXPECT_THAT(
      status_of_probe(box, "root"),
      IsSupersetOf({Pair("CapInh", kNone), Pair("CapPrm", kRootInside), Pair("CapEff", kRootInside),
                    Pair("CapBnd", kRootInside), Pair("CapAmb", kNone), Pair("NoNewPrivs", "1"),
                    Pair("Seccomp", "2"), Pair("Seccomp_filters", "2")}));
}

TEST(RootInside, OtherUsersHaveNone) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  EXPECT_THAT(
      status_of_probe(box, "user"),
      IsSupersetOf({Pair("CapInh", kNone), Pair("CapPrm", kNone), Pair("CapEff", kNone),
                    Pair("CapBnd", kNone), Pair("CapAmb", kNone), Pair("NoNewPrivs", "1")}));
}

// What init holds for its children it does not use: SETPCAP, KILL, SETGID and SETUID are.
TEST(RootInside, InitUsesFourCapabilities) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  EXPECT_THAT(status_of_process(box.host_pid()),
              IsSupersetOf({Pair("CapEff", "00000000000001e0"), Pair("CapInh", kNone),
                            Pair("CapPrm", "00000000000005fb"), Pair("CapBnd", "00000000000005fb"),
                            Pair("CapAmb", kNone), Pair("NoNewPrivs", "1")}));
}

TEST(RootInside, LosesThemForGoodWhenItBecomesSomebodyElse) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  // KEEP_CAPS, which setpriv sets, ends at execve(2); a set-id program of root gives nothing back.
  const CommandResult result =
      run_as_root(box, {"/bin/sh", "-c",
                        "cp /probe/probe /tmp/set && chmod 6755 /tmp/set &&"
                        "setpriv --reuid=1000 --regid=1000 --clear-groups /tmp/set status"});
  EXPECT_THAT(result.stdout_text, ::testing::HasSubstr("Uid:\t1000\t1000\t1000\t1000"));
  EXPECT_THAT(result.stdout_text, ::testing::HasSubstr("CapPrm:\t0000000000000000"));
  EXPECT_THAT(result.stdout_text, ::testing::HasSubstr("CapEff:\t0000000000000000"));
}

TEST(RootInside, CannotMakeOrEnterNamespaces) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  for (const auto& [attempt, result] : probe_as_root(box, {"namespaces"})) {
    EXPECT_EQ(result, attempt.starts_with("clone3") ? "ENOSYS" : "EPERM") << attempt;
  }
  EXPECT_THAT(probe_as_root(box, {"setns"}), Each(Pair(testing::_, AnyOf("EPERM", "ENOENT"))));
}

TEST(RootInside, CannotMount) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  const Results results = probe_as_root(box, {"mounts"});
  EXPECT_EQ(results.size(), 18U);
  EXPECT_THAT(results, Each(Pair(testing::_, AnyOf("EPERM", "ENOSYS"))));
}

TEST(RootInside, CannotMakeDevices) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  const Results results = probe_as_root(box, {"devices", "/tmp", "/dev/shm", "/root"});
  for (const auto& [attempt, result] : results) {
    EXPECT_EQ(result, attempt.starts_with("fifo") ? "ok" : "EPERM") << attempt;
  }
}

TEST(RootInside, RootOutsideMakesDevices) {
  require_root();
  const TempDir directory;
  EXPECT_THAT(to_results(plain_probe({"devices", directory.path()}).text),
              Contains(Pair("null(" + directory.path() + ")", "ok")));
}

TEST(RootInside, HasNoRawSockets) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  Command how = probe_command({"sockets"});
  how.user = "root";
  const Lines lines = split_lines(box.commands().run(how).stdout_text);
  EXPECT_THAT(lines, Contains("family 2 type 1 protocol 6"));
  for (const char* const raw : {"family 2 type 3", "family 10 type 3", "family 17"}) {
    EXPECT_THAT(lines, Each(Not(::testing::StartsWith(raw))));
  }
}

TEST(RootInside, RootOutsideHasRawSockets) {
  require_root();
  EXPECT_THAT(split_lines(plain_probe({"sockets"}).text),
              Contains(::testing::StartsWith("family 2 type 3")));
}

TEST(RootInside, BindsLowPortsOfTheSandbox) {
  require_program("python3");
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  const Words bind{"python3", "-c",
                   "import socket; socket.socket().bind((\"127.0.0.1\", 80)); print(\"bound\")"};
  EXPECT_EQ(run_as_root(box, bind).stdout_text, "bound\n");
  EXPECT_EQ(box.commands().run(command(bind)).stdout_text, "");
}

// The network namespace of the host belongs to another user namespace.
TEST(RootInside, BindsNoLowPortOfTheHost) {
  require_program("python3");
  require_subordinate_ids();
  AttackBox attack;
  if (::geteuid() != 0) require_user_xattrs_on_tmpfs();
  SandboxOptions options = AttackBox::options();
  options.ids = Ids::Range;
  options.network = Network::Host;
  const Sandbox box = attack.make(options);
  const CommandResult result = run_as_root(
      box, {"python3", "-c", "import socket; socket.socket().bind((\"127.0.0.1\", 81))"});
  EXPECT_THAT(result.stderr_text, ::testing::HasSubstr("PermissionError"));
}

TEST(RootInside, CannotTraceOrReachTheKernel) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  Results results = probe_as_root(box, {"domains"});
  // Its own business: there is no execve(2) that it outlasts.
  EXPECT_EQ(results.extract("prctl(KEEPCAPS)").mapped(), "ok");
  EXPECT_EQ(results.extract("personality(query)").mapped(), "ok");
  EXPECT_THAT(results, Each(Pair(testing::_, AnyOf("EPERM", "ENOSYS"))));
  EXPECT_THAT(probe_as_root(box, {"handles"}), Each(Pair(testing::_, "EPERM")));
}

TEST(RootInside, CannotHarmInit) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  const Results results = probe_as_root(box, {"signal-init"});
  for (const char* const attempt :
       {"prlimit(1)", "setpriority(1)", "setpriority(user)", "setscheduler(1)", "ioprio_set(1)"}) {
    EXPECT_EQ(results.at(attempt), "EPERM") << attempt;
  }
  for (const char* const file :
       {"open(/proc/1/mem)", "open(/proc/1/oom_score_adj)", "readlink(/proc/1/root)"}) {
    EXPECT_THAT(results.at(file), AnyOf("EACCES", "ENOENT")) << file;
  }
  EXPECT_EQ(run_as_root(box, {"/bin/sh", "-c", "ls /proc/1/fd /proc/1/task"}).stdout_text, "");
  EXPECT_EQ(run_as_root(box, {"/bin/echo", "alive"}).stdout_text, "alive\n");
}

// With ptrace allowed, what keeps root inside from init is that it is not dumpable and has a
// capability more.
TEST(RootInside, CannotTraceInitWithAProfileForDebuggers) {
  require_subordinate_ids();
  AttackBox attack;
  if (::geteuid() != 0) require_user_xattrs_on_tmpfs();
  SandboxOptions options = AttackBox::options();
  options.ids = Ids::Range;
  options.profile = Profile::Dev;
  const Sandbox box = attack.make(options);
  const Results results = probe_as_root(box, {"trace", "1"});
  EXPECT_EQ(results.at("ptrace(SEIZE)"), "EPERM");
  EXPECT_EQ(results.at("process_vm_readv"), "EPERM");
  const CommandResult control =
      run_as_root(box, {"/bin/sh", "-c", "sleep 60 & /probe/probe trace $!; kill $!"});
  EXPECT_THAT(to_results(control.stdout_text), Contains(Pair("ptrace(SEIZE)", "ok")));
}

TEST(RootInside, CannotWriteSysctlsOrLiftMasks) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  EXPECT_THAT(run_as_root(box, {kProbe, "sysctls"}).stdout_text, "count 0\n");
  for (const auto& [attempt, result] : probe_as_root(box, {"masks"})) {
    // What lies over a mask is a read-only /dev/null: opening a device for writing is no change.
    if (attempt.starts_with("write(") || attempt.starts_with("truncate(")) continue;
    EXPECT_NE(result, "ok") << attempt;
  }
  EXPECT_THAT(probe_as_root(box, {"kernel-memory"}), Not(Contains(Pair(testing::_, "content"))));
}

// The program files of the machine belong to nobody in here.
TEST(RootInside, CannotChangeFilesOfTheHost) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  const CommandResult result = run_as_root(
      box,
      {"/bin/sh", "-c", "chown 0 /usr/bin/env || chmod 777 /usr/bin/env || : >> /usr/bin/env"});
  EXPECT_NE(result.exit_code(), 0);
}

// What is hostile is read by a process that nobody misses.
TEST(RootInside, HostileWordsToSudoHoldUpNobody) {
  AttackBox attack;
  const Sandbox box = make_range_box(attack);
  Command how = probe_command({"sudo"});
  how.input = Stdin::Pipe;
  Process attacker = box.commands().start(how);
  wait_for_word(attacker, "attacked");
  const Command limited = command({"sleep", "60"}, {}, std::chrono::milliseconds(300));
  EXPECT_EQ(to_string(box.commands().run(limited).outcome), "wall-clock limit reached");
  attacker.kill(SIGKILL, Target::Tree);
  attacker.wait();
  EXPECT_TRUE(comes_true([&] {
    return box.commands().run(command({"sudo", "id", "-u"})).stdout_text == "0\n";
  }));
  EXPECT_TRUE(comes_true([&] { return processes_of(box.host_pid()).size() == 1; }));
}

TEST(RootInside, SudoIsNotForASandboxOfOneUser) {
  AttackBox attack;
  EXPECT_EQ(attack.probe({"sudo"}).stdout_text, "connect ENOENT\n");
}

// A host directory that is mounted gives root inside what the caller may do with his own files, and
// nothing of others'.
TEST(RootInside, CannotReadFilesOfOthersInAMount) {
  require_root();
  const TempDir directory = TempDir::with({{"secret", "of the host's root"}});
  ::chmod(directory.path().c_str(), 0755);
  ::chmod(directory.path("secret").c_str(), 0600);
  AttackBox attack;
  SandboxOptions options = AttackBox::options();
  options.ids = Ids::Range;
  options.mounts.push_back({directory.path(), "/work", Access::ReadWrite});
  const Sandbox box = attack.make(options);
  const CommandResult result =
      run_as_root(box, {"/bin/sh", "-c", "cat /work/secret || chown 0:0 /work/secret"});
  EXPECT_EQ(result.stdout_text, "");
  EXPECT_EQ(result.exit_code(), 1);
}

}  // namespace
}  // namespace sandbox::test
