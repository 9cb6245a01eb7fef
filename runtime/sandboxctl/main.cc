// sandboxctl: isolated Linux sandboxes from the command line. One file per verb.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/stdin_source.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

struct Verb {
  const char* name;
  int (*run)(const std::vector<std::string>& arguments);
  const char* help;
};

constexpr Verb kVerbs[] = {
    {"run", run, "create a sandbox, run one command in it, remove it"},
    {"create", create, "create a sandbox that lives on, print its id"},
    {"exec", exec, "run a command in it"},
    {"shell", shell, "a shell in it, in your terminal"},
    {"cp", cp, "copy files and trees into a sandbox, or out of it"},
    {"files", files, "ls, tree, cat, write, stat, mkdir, mv, rm in a sandbox"},
    {"watch", watch, "print the changes of a directory until interrupted"},
    {"ps", ps, "the commands of one"},
    {"logs", logs, "what a command left running has printed"},
    {"attach", attach, "go on with a command left running"},
    {"kill", kill, "send a signal to a command"},
    {"list", list, "the sandboxes that live"},
    {"inspect", inspect, "all that is known of one, as JSON"},
    {"stats", stats, "what it uses: memory, processor, processes, disk"},
    {"pause", pause, "stop everything in it"},
    {"resume", resume, "let it go on"},
    {"rm", rm, "end sandboxes"},
    {"gc", gc, "remove what killed ones have left"},
    {"template", template_verb, "what sandboxes start from: build, import, list, rm, ..."},
    {"doctor", doctor, "what works on this machine, and how to mend the rest"},
};

// A closed stdin, stdout or stderr would lend its number to the next file we open. What stands
// there instead fails for the use of that number, as a closed one does.
void occupy_standard_fds() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    if (::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) ::_exit(kFailed);
  }
}

int print_help() {
  std::string text = "Usage: sandboxctl VERB [OPTIONS] ...\n\n";
  for (const Verb& verb : kVerbs) {
    std::string name = verb.name;
    name.resize(10, ' ');
    text += "  " + name + verb.help + "\n";
  }
  text += "\n'sandboxctl VERB --help' tells more.\n";
  print_all(STDOUT_FILENO, "stdout", text);
  return 0;
}

int print_version() {
  print_all(STDOUT_FILENO, "stdout", "sandboxctl " SANDBOX_VERSION "\n");
  return 0;
}

Failure unknown_verb(const std::string& word) {
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) names.emplace_back(verb.name);
  const std::string near = nearest(word, names);
  return usage_error(word,
                     near.empty() ? "no such verb" : "no such verb; did you mean " + near + "?",
                     "'sandboxctl --help' lists the verbs");
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) throw usage_error("", "no verb", "'sandboxctl --help' lists the verbs");
  if (words[0] == "-h" || words[0] == "--help") return print_help();
  if (words[0] == "--version") return print_version();
  for (const Verb& verb : kVerbs) {
    if (words[0] == verb.name) return verb.run({words.begin() + 1, words.end()});
  }
  throw unknown_verb(words[0]);
}

int guarded_main(const std::vector<std::string>& words) try {
  return dispatch(words);
} catch (const Failure& failure) {
  print_error(failure.message());
  return failure.exit_code();
} catch (const Interrupted& interrupted) {
  die_by(interrupted.signal());
} catch (const sandbox::Error& error) {
  print_error(describe(words.empty() ? "" : words[0], error));
  return kFailed;
} catch (const std::exception& error) {
  print_error({.doing = words.empty() ? "" : words[0], .reason = error.what()});
  return kFailed;
}

}  // namespace
}  // namespace sandboxctl

int main(int argc, char** argv) {
  sandboxctl::occupy_standard_fds();
  std::signal(SIGPIPE, SIG_IGN);  // A reader that has gone is an errno here.
  return sandboxctl::guarded_main({argv + (argc > 0 ? 1 : 0), argv + argc});
}
