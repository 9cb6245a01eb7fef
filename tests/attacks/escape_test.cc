// Ways out that are tried from inside. For each the control shows that the attempt is a real one.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <variant>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using Results = std::map<std::string, std::string>;

std::string text_of(const char* path) {
  std::ifstream in(path);
  std::string text;
  std::getline(in, text);
  return text;
}

void expect_confined(pid_t pid) {
  for (const pid_t thread : threads_of(pid)) {
    const Results status = status_of_process(thread);
    for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
      EXPECT_EQ(status.at(set), "0000000000000000") << set << " of " << thread;
    }
    EXPECT_EQ(status.at("NoNewPrivs"), "1") << thread;
    EXPECT_EQ(status.at("Seccomp"), "2") << thread;
  }
}

// E-01
TEST(Escape, EveryThreadAndLaterProgramIsConfined) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"threads", "4", kProbe, "threads", "2"});
  wait_for_word(process, "ready");
  const pid_t pid = find_probe(box.host_pid(), "threads");
  ASSERT_GT(pid, 0);
  EXPECT_EQ(threads_of(pid).size(), 5U);
  expect_confined(pid);
  expect_confined(box.host_pid());
  process.close_stdin();
  EXPECT_EQ(to_string(process.wait()), "exited with 0");
}

TEST(Escape, ProgramOutsideIsNotConfined) {
  const Results control = status_of_process(::getpid());
  EXPECT_EQ(control.at("Seccomp"), "0");
  EXPECT_EQ(control.at("NoNewPrivs"), "0");
}

// E-02
TEST(Escape, NoIdInsideIsRootOfTheHost) {
  AttackBox attack;
  for (const char* const user : {"user", "root"}) {
    SandboxOptions options = AttackBox::options();
    options.user = user;
    Sandbox box = attack.make(options);
    for (const char* const map : {"uid_map", "gid_map"}) {
      std::istringstream fields(proc_text(box.host_pid(), map));
      uint64_t inside = 0, outside = 0, count = 0;
      ASSERT_TRUE(fields >> inside >> outside >> count);
      EXPECT_NE(outside, 0U) << map << " for " << user;
      EXPECT_EQ(count, 1U);
    }
    EXPECT_EQ(proc_text(box.host_pid(), "setgroups"), "deny\n");
  }
}

// E-04
TEST(Escape, SysctlsOfTheHostAreNotWritable) {
  AttackBox attack;
  const std::string before = text_of("/proc/sys/kernel/core_pattern");
  for (const char* const user : {"user", "root"}) {
    SandboxOptions options = AttackBox::options();
    options.user = user;
    const Sandbox box = attack.make(options);
    const Results results = to_results(
        AttackBox::run_probe(box, {"rewrite", "/proc/sys/kernel/core_pattern",
                                   "/proc/sys/vm/swappiness", "/proc/sys/user/max_user_namespaces"})
            .stdout_text);
    EXPECT_EQ(results.size(), 3U);
    EXPECT_THAT(results, Each(Pair(testing::_, AnyOf("EROFS", "EACCES", "EPERM"))));
    EXPECT_EQ(AttackBox::run_probe(box, {"sysctls"}).stdout_text, "count 0\n");
  }
  EXPECT_EQ(text_of("/proc/sys/kernel/core_pattern"), before);
}

TEST(Escape, SysctlsCanBeWrittenInAPlainUserNamespace) {
  require_program("bwrap");
  const LeakCheck bwrap_is_gone;  // It ends a moment after its command.
  const PlainEnd control =
      run_plain({"bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev",
                 "/dev", "--ro-bind", probe_directory(), "/mnt", "/mnt/probe", "sysctls"});
  EXPECT_THAT(control.text, HasSubstr("writable /proc/sys/"));
}

// E-05
TEST(Escape, NoNamespaceCanBeMade) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"namespaces"}).stdout_text);
  EXPECT_EQ(results.size(), 38U);
  for (const auto& [attempt, result] : results) {
    EXPECT_EQ(result, attempt.starts_with("clone3") ? "ENOSYS" : "EPERM") << attempt;
  }
}

TEST(Escape, NamespacesCanBeMadeOutside) {
  require_user_namespaces();
  const Results results = to_results(plain_probe({"namespaces"}).text);
  EXPECT_THAT(results, Contains(Pair("unshare(user)", "ok")));
  EXPECT_THAT(results, Contains(Pair("clone(user)", "ok")));
  EXPECT_THAT(results, Contains(Pair("clone3(user)", "ok")));
}

// E-07
TEST(Escape, NoNamespaceCanBeEntered) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"setns"}).stdout_text);
  EXPECT_EQ(results.size(), 14U);
  EXPECT_THAT(results, Each(Pair(testing::_, AnyOf("EPERM", "ENOENT", "EACCES"))));
  EXPECT_THAT(results, Contains(Pair("setns(/proc/self/ns/user)", "EPERM")));
}

// E-10
TEST(Escape, TerminalCannotBeTypedInto) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"terminals"}).stdout_text);
  for (const char* const whose : {"(stdin)", "(own)"}) {
    for (const char* const call :
         {"TIOCSTI", "TIOCSTI-high-bits", "TIOCLINUX", "TIOCSETD", "TIOCCONS"}) {
      EXPECT_THAT(results, Contains(Pair(std::string(call) + whose, "EPERM")));
    }
  }
  EXPECT_THAT(results, Contains(Pair("openpt", "ok")));
  EXPECT_EQ(results.at("isatty(stdin)"), "ENOTTY");
}

TEST(Escape, TerminalOfACommandCannotBeTypedInto) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Command how = probe_command({"terminals"});
  how.terminal = TerminalSize{};
  std::string text = box.commands().run(how).stdout_text;
  std::erase(text, '\r');
  const Results results = to_results(text);
  for (const char* const call :
       {"TIOCSTI", "TIOCSTI-high-bits", "TIOCLINUX", "TIOCSETD", "TIOCCONS"}) {
    EXPECT_THAT(results, Contains(Pair(std::string(call) + "(stdin)", "EPERM")));
  }
  EXPECT_EQ(results.at("isatty(stdin)"), "ok");
}

TEST(Escape, CallersTerminalIsNotReachable) {
  AttackBox attack;
  const UniqueFd master{check(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt")};
  check(::grantpt(master.get()), "grantpt");
  check(::unlockpt(master.get()), "unlockpt");
  const std::string slave = ::ptsname(master.get());
  const Sandbox box = attack.make();
  const Results results = to_results(AttackBox::run_probe(box, {"rewrite", slave}).stdout_text);
  EXPECT_EQ(results.at(slave), "ENOENT");
  EXPECT_EQ(to_results(AttackBox::run_probe(box, {"terminals"}).stdout_text).at("open(/dev/tty)"),
            "ok")
      << "its own, made by the probe: a session of its own has no other";
}

// E-11
TEST(Escape, OnlyOrdinarySocketsCanBeMade) {
  AttackBox attack;
  const CommandResult result = attack.probe({"sockets"});
  const Lines lines = split_lines(result.stdout_text);
  constexpr const char* kFamilies[] = {"family 1 ", "family 2 ", "family 10 ", "family 16 "};
  for (const std::string& line : lines) {
    if (!line.starts_with("family")) continue;
    EXPECT_THAT(line, AnyOf(StartsWith(kFamilies[0]), StartsWith(kFamilies[1]),
                            StartsWith(kFamilies[2]), StartsWith(kFamilies[3])));
    EXPECT_THAT(line, Not(AnyOf(HasSubstr("protocol 132"), HasSubstr("protocol 262"),
                                HasSubstr("protocol 255"), HasSubstr("protocol 33"))));
    EXPECT_THAT(line, Not(HasSubstr("type 3 protocol 6"))) << "raw";
  }
  EXPECT_THAT(lines, Contains("family 1 type 1 protocol 0"));
  EXPECT_THAT(lines, Contains("netlink 0"));
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) { return line.starts_with("netlink"); }),
            1);
  EXPECT_THAT(
      to_results(result.stdout_text),
      IsSupersetOf({Pair("send(MSG_OOB)", "EOPNOTSUPP"), Pair("socketpair(tipc)", "EAFNOSUPPORT"),
                    Pair("setsockopt(TCP_ULP)", "ENOPROTOOPT"),
                    Pair("setsockopt(UDP_ENCAP)", "ENOPROTOOPT"),
                    Pair("setsockopt(xtables)", "ENOPROTOOPT")}));
}

TEST(Escape, MoreSocketsCanBeMadeOutside) {
  const Lines lines = split_lines(plain_probe({"sockets"}).text);
  EXPECT_GT(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) { return line.starts_with("netlink"); }),
            3);
}

// E-13
TEST(Escape, NothingCanBeMounted) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"mounts"}).stdout_text);
  EXPECT_EQ(results.size(), 18U);
  EXPECT_THAT(results, Each(Pair(testing::_, AnyOf("EPERM", "ENOSYS"))));
}

TEST(Escape, ThingsCanBeMountedInAPlainUserNamespace) {
  require_user_namespaces();
  require_program("unshare");
  const PlainEnd control = run_plain({"unshare", "-Urm", probe_directory() + "/probe", "mounts"});
  EXPECT_THAT(to_results(control.text), Contains(Pair("mount(tmpfs)", "ok")));
}

// E-14
TEST(Escape, MasksStay) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const Results results = to_results(AttackBox::run_probe(box, {"masks"}).stdout_text);
  EXPECT_GE(results.size(), 30U);
  for (const auto& [attempt, result] : results) {
    // What lies over a mask is a read-only /dev/null: opening a device for writing is no change.
    if (attempt.starts_with("write(") || attempt.starts_with("truncate(")) continue;
    EXPECT_NE(result, "ok") << attempt;
  }
  const Results content = to_results(AttackBox::run_probe(box, {"kernel-memory"}).stdout_text);
  EXPECT_THAT(content, Not(Contains(Pair(testing::_, "content"))));
}

TEST(Escape, MaskedFilesHaveContentOutside) {
  const Results content = to_results(plain_probe({"kernel-memory"}).text);
  EXPECT_THAT(content, Contains(Pair("/proc/kallsyms", "content")));
  EXPECT_THAT(content, Contains(Pair("/proc/interrupts", "content")));
}

// E-16
TEST(Escape, SetIdProgramGivesNothing) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const CommandResult made = box.commands().run(command(
      {"/bin/sh", "-c", "cp /probe/probe /tmp/set && chmod 6755 /tmp/set && /tmp/set status"}));
  EXPECT_THAT(made.stdout_text, HasSubstr("Uid:\t1000\t1000\t1000\t1000"));
  EXPECT_THAT(made.stdout_text, HasSubstr("CapEff:\t0000000000000000"));
  // Set-id of root, in the machine's own /usr.
  const CommandResult su = box.commands().run(command({"/bin/sh", "-c", "su -c id < /dev/null"}));
  EXPECT_THAT(su.stdout_text, Not(HasSubstr("uid=0")));
}

// E-17
TEST(Escape, FilesCannotBeOpenedByHandle) {
  AttackBox attack;
  EXPECT_THAT(
      to_results(attack.probe({"handles"}).stdout_text),
      UnorderedElementsAre(Pair("name_to_handle_at", "EPERM"), Pair("open_by_handle_at", "EPERM")));
  EXPECT_THAT(to_results(plain_probe({"handles"}).text),
              Not(Contains(Pair("name_to_handle_at", "EPERM"))));
}

// E-19, CVE-2019-5736
TEST(Escape, RunningProgramsCannotBeRewritten) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process attacker = box.commands().start(command({kProbe, "programs", "400"}));
  for (int i = 0; i < 30; ++i) box.commands().run(command({kProbe, "exec", "/bin/true"}));
  std::string said;
  attacker.stream([&](Stream, std::string_view chunk) { said += chunk; });
  EXPECT_EQ(said, "tried some\nwritten 0\n");
}

TEST(Escape, InitDoesNothingAsACommand) {
  AttackBox attack;
  const Sandbox box = attack.make();
  box.commands().run(
      command({"/bin/sh", "-c", "echo '#!/proc/self/exe' > /tmp/s; chmod +x /tmp/s"}));
  const CommandResult result = box.commands().run(command({"/tmp/s", "--launcher", "0", "0"}));
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_THAT(result.stderr_text, HasSubstr("started by the sandbox library only"));
}

// E-20
TEST(Escape, NoDescriptorLeadsOutWhileCommandsStart) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process watcher = box.commands().start(command({kProbe, "links", "300"}));
  for (int i = 0; i < 60; ++i) box.commands().run(command({"/bin/true"}));
  std::string said;
  watcher.stream([&](Stream, std::string_view chunk) { said += chunk; });
  EXPECT_THAT(said, HasSubstr("/root -> /"));
  for (const std::string& line : split_lines(said)) {
    if (line.find("/root -> ") != std::string::npos) {
      EXPECT_THAT(line, ::testing::EndsWith("/root -> /"));
    } else if (line.find("/cwd -> ") != std::string::npos) {
      EXPECT_THAT(line, ::testing::EndsWith("/cwd -> /home/user"));
    } else {
      EXPECT_THAT(line, AnyOf(HasSubstr("-> pipe:"), HasSubstr("-> /dev/null"),
                              HasSubstr("-> /proc"), HasSubstr("-> /usr/lib"),
                              HasSubstr("-> /etc/ld.so.cache"), HasSubstr("/usr/bin")));
    }
  }
}

// E-22
TEST(Escape, InitCannotBeHarmed) {
  AttackBox attack;
  for (const char* const user : {"user", "root"}) {
    SandboxOptions options = AttackBox::options();
    options.user = user;
    Sandbox box = attack.make(options);
    const Results results = to_results(AttackBox::run_probe(box, {"signal-init"}).stdout_text);
    for (const char* const attempt :
         {"prlimit(1)", "setpriority(1)", "setpriority(user)", "setscheduler(1)", "ioprio_set(1)",
          "open(/proc/1/mem)", "open(/proc/1/oom_score_adj)", "readlink(/proc/1/root)"}) {
      EXPECT_NE(results.at(attempt), "ok") << attempt;
    }
    EXPECT_EQ(box.commands().run(command({"/bin/true"})).exit_code(), 0);
  }
}

// E-23
TEST(Escape, StormOfForksAndSignalsEndsAtItsTimeLimit) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process storm =
      box.commands().start(command({kProbe, "storm", "60"}, {}, std::chrono::seconds(2)));
  const std::optional<Outcome> end = storm.wait_for(std::chrono::seconds(12));
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(comes_true([&] { return processes_of(box.host_pid()).size() == 1; }));
  EXPECT_EQ(box.commands().run(command({"/bin/true"})).exit_code(), 0);
}

// E-34
TEST(Escape, OtherExecutionDomainsAndTracersAreClosed) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"domains"}).stdout_text);
  EXPECT_EQ(results.at("personality(query)"), "ok");
  for (const auto& [attempt, result] : results) {
    if (attempt == "personality(query)") continue;
    EXPECT_THAT(result, AnyOf("EPERM", "ENOSYS")) << attempt;
  }
  EXPECT_THAT(
      to_results(plain_probe({"domains"}).text),
      IsSupersetOf({Pair("personality(READ_IMPLIES_EXEC)", "ok"), Pair("ptrace(TRACEME)", "ok")}));
}

TEST(Escape, ForeignAbisKill) {
  AttackBox attack;
  EXPECT_EQ(attack.probe({"foreign-abi"}).stdout_text, "i386 signal 31\nx32 signal 31\n");
  EXPECT_THAT(plain_probe({"foreign-abi"}).text, Not(HasSubstr("i386 signal 31")));
}

// E-35
TEST(Escape, FiltersCannotBeLoosened) {
  AttackBox attack;
  const Results results = to_results(attack.probe({"filters"}).stdout_text);
  EXPECT_EQ(results.at("seccomp(NEW_LISTENER)"), "EPERM");
  EXPECT_EQ(results.at("prctl(disable)"), "EINVAL");
  EXPECT_EQ(results.at("prctl(NO_NEW_PRIVS=0)"), "EINVAL");
  EXPECT_EQ(results.at("unshare after that"), "EPERM");
}

// E-38
TEST(Escape, SetIdFileOnDiskIsOutOfReachOfOthers) {
  require_unprivileged();
  AttackBox attack;
  SandboxOptions options = AttackBox::options();
  options.upper = Upper::Directory;
  const Sandbox box = attack.make(options);
  box.commands().run(command({"/bin/sh", "-c", "cp /bin/true set; chmod 4755 set"}));
  int boxes = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(AttackBox::data().path("data/boxes"))) {
    ++boxes;
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms(0077),
              std::filesystem::perms::none);
  }
  EXPECT_EQ(boxes, 1);
}

// E-40
TEST(Escape, ArgumentsArriveAsTheyAre) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Command odd = probe_command({"arguments", "--bind", "", "a\nb", "\xff\xfe", "$(id)", "-"});
  odd.env = {{"ODD", "x\ny=z"}, {"LD_AUDIT_", ""}};
  const Lines lines = split_lines(box.commands().run(odd).stdout_text);
  EXPECT_THAT(lines, IsSupersetOf({"argument --bind", "argument ", "argument a\\x0ab",
                                   "argument \\xff\\xfe", "argument $(id)", "argument -",
                                   "variable ODD=x\\x0ay=z", "variable LD_AUDIT_="}));
  Command large = probe_command({"arguments", std::string(100'000, 'x')});
  EXPECT_EQ(box.commands().run(large).stdout_text.find(std::string(100'000, 'x')), 9U);
  EXPECT_THROW(box.commands().run(probe_command({"arguments", std::string(3 << 20, 'x')})), Error);
  EXPECT_EQ(box.commands().run(command({"/bin/true"})).exit_code(), 0);
}

}  // namespace
}  // namespace sandbox::test
