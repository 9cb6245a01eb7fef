// Build tool: compiles the policy of seccomp_tables.h into BPF, written as C++ arrays.
//
// At build time, because compiling at run time takes longer than creating a sandbox. What comes
// out depends on the tables alone, not on the machine it runs on.

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isolation/bpf_program.h"
#include "isolation/seccomp_tables.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

Program allow() { return ret(SECCOMP_RET_ALLOW); }

Program fail_with(int errno_value) {
  return ret(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(errno_value));
}

/// The number of `call`, negative if this architecture has no such call.
int number_of(std::string_view call) {
  if (const auto number = number_unknown_to_libseccomp(call)) return *number;
  const std::string name(call);
  const int number = ::seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) throw Error(ENOENT, "seccomp_syscall_resolve_name", name);
  return number;
}

std::vector<std::string_view> split(std::string_view calls) {
  std::vector<std::string_view> names;
  while (!calls.empty()) {
    names.push_back(calls.substr(0, calls.find(' ')));
    calls.remove_prefix(std::min(names.back().size() + 1, calls.size()));
  }
  return names;
}

/// What happens to each number; the others run `otherwise`.
class Policy {
 public:
  explicit Policy(Program otherwise) : otherwise_(std::move(otherwise)) {}

  void set(std::string_view call, const Program& program) {
    const int number = number_of(call);
    if (number < 0) return;
    if (!programs_.emplace(static_cast<std::uint32_t>(number), program).second) {
      throw Error(EEXIST, "set", call);  // Two rows would contradict each other.
    }
  }

  Program compile() const {
    std::vector<CallRange> ranges;
    std::uint32_t next = 0;
    for (const auto& [number, program] : programs_) {
      if (number > next) append({next, otherwise_}, ranges);
      append({number, program}, ranges);
      next = number + 1;
    }
    append({next, otherwise_}, ranges);
    return dispatch(ranges);
  }

 private:
  // Neighbours with the same verdict share one range.
  static void append(CallRange range, std::vector<CallRange>& ranges) {
    const auto same = [](const sock_filter& a, const sock_filter& b) {
      return a.code == b.code && a.jt == b.jt && a.jf == b.jf && a.k == b.k;
    };
    if (!ranges.empty() && std::equal(ranges.back().program.begin(), ranges.back().program.end(),
                                      range.program.begin(), range.program.end(), same)) {
      return;
    }
    ranges.push_back(std::move(range));
  }

  Program otherwise_;
  std::map<std::uint32_t, Program> programs_;
};

/// The rules of `call`; the first that holds decides, `otherwise` where none holds.
Program decide(std::span<const ArgumentRule> rules, std::string_view call, Profile profile,
               Program otherwise) {
  Program program = std::move(otherwise);
  for (std::size_t i = rules.size(); i-- > 0;) {
    const ArgumentRule& rule = rules[i];
    if (rule.call != call || !rule.profiles.contain(profile)) continue;
    const Program verdict = rule.errno_value == 0 ? allow() : fail_with(rule.errno_value);
    program = when(rule.conditions, verdict, program);
  }
  return program;
}

/// Filter A: what is not allowed is unknown to the payload.
Program allow_list(Profile profile) {
  Policy policy(fail_with(ENOSYS));
  for (const SyscallRow& row : syscall_rows()) {
    for (const std::string_view call : split(row.calls)) {
      switch (row.in(profile)) {
        case Verdict::Allow:
        case Verdict::InitOnly:
        case Verdict::InitOnlyEnosys:
          policy.set(call, allow());
          break;
        case Verdict::ByArgument:
          policy.set(call, decide(argument_rules(), call, profile, fail_with(ENOSYS)));
          break;
        case Verdict::Eperm:
          policy.set(call, fail_with(EPERM));
          break;
        case Verdict::Enosys:
          policy.set(call, fail_with(ENOSYS));
          break;
      }
    }
  }
  return policy.compile();
}

/// Filter B: what init does to start a command, and the command must not do.
Program deny_list(Profile profile) {
  Policy policy(allow());
  for (const SyscallRow& row : syscall_rows()) {
    const Verdict verdict = row.in(profile);
    if (verdict != Verdict::InitOnly && verdict != Verdict::InitOnlyEnosys) continue;
    const int error = verdict == Verdict::InitOnly ? EPERM : ENOSYS;
    for (const std::string_view call : split(row.calls)) policy.set(call, fail_with(error));
  }
  std::string_view previous;
  for (const ArgumentRule& rule : payload_rules()) {
    if (rule.call == previous) continue;
    policy.set(rule.call, decide(payload_rules(), rule.call, profile, allow()));
    previous = rule.call;
  }
  return policy.compile();
}

void print(std::ostream& out, std::string_view name, const Program& program) {
  out << "constexpr sock_filter " << name << "[] = {\n";
  for (const sock_filter& i : program) {
    out << "    {" << i.code << ", " << +i.jt << ", " << +i.jf << ", " << i.k << "U},\n";
  }
  out << "};\n";
}

void compile(const char* path) {
  std::ofstream out(path, std::ios::trunc);
  print(out, "kDefaultAllow", allow_list(Profile::Default));
  print(out, "kDefaultDeny", deny_list(Profile::Default));
  print(out, "kStrictAllow", allow_list(Profile::Strict));
  print(out, "kStrictDeny", deny_list(Profile::Strict));
  print(out, "kDevAllow", allow_list(Profile::Dev));
  print(out, "kDevDeny", deny_list(Profile::Dev));
  out.close();
  if (!out) throw Error(EIO, "write", path);
}

}  // namespace
}  // namespace sandbox

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: compile_filters OUTPUT\n";
    return 2;
  }
  sandbox::compile(argv[1]);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "compile_filters: " << error.what() << '\n';
  return 1;
}
