#include "runtime/sandboxctl/opening.h"

#include <cerrno>
#include <string_view>

namespace sandboxctl {
namespace {

constexpr const char* kDoctorHint = "run 'sandboxctl doctor'";

// True when what failed is a thing that the user named, and not the machine.
bool names_input(const sandbox::Error& error, const sandbox::SandboxOptions& options) {
  const std::string& subject = error.subject();
  const auto about = [&subject](std::string_view input) {
    return !input.empty() && subject.starts_with(input);
  };
  std::string_view name = options.template_name;
  if (name.starts_with("dir:")) name.remove_prefix(4);
  if (about(options.template_name) || about(name) || about(options.user)) return true;
  if (about(options.name)) return true;
  if (error.call() == "limit") return true;  // Its hint is the remedy.
  for (const sandbox::Mount& mount : options.mounts) {
    if (about(mount.source) || about(mount.target)) return true;
  }
  return false;
}

Message with_doctor(Message message) {
  message.hint += (message.hint.empty() ? "" : "; ") + std::string(kDoctorHint);
  return message;
}

}  // namespace

sandbox::Runtime start_runtime() try {
  // The process is ours alone, so its cgroup may be changed.
  return sandbox::Runtime({.may_move_host = true});
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, with_doctor(describe("starting", error)));
}

sandbox::Sandbox create_sandbox(sandbox::Runtime& runtime,
                                const sandbox::SandboxOptions& options) try {
  return runtime.create(options);
} catch (const sandbox::Error& error) {
  const Message message = describe("creating the sandbox", error);
  throw Failure(kFailed, names_input(error, options) ? message : with_doctor(message));
}

Failure sandbox_failure(const std::string& id_or_name, const sandbox::Error& error) {
  Message message = describe("finding the sandbox", error);
  if (error.call() == "find sandbox") message.subject = id_or_name;
  if (error.code().value() == ENOENT) message.reason = "there is none of this id or name";
  if (error.code().value() == ESRCH) message.reason = "it has ended";
  if (error.code().value() == EINVAL) message.reason = "neither an id nor a name";
  return {kFailed, message};
}

sandbox::Sandbox attach_sandbox(sandbox::Runtime& runtime, const std::string& id_or_name) try {
  return runtime.attach(id_or_name);
} catch (const sandbox::Error& error) {
  throw sandbox_failure(id_or_name, error);
}

}  // namespace sandboxctl
