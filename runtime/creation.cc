#include "runtime/creation.h"

#include <cerrno>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/explain.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// What launcher and init have answered so far; they answer in no order.
struct Answers {
  bool cloned = false;
  bool ready = false;
};

void take_report(Message message, Creation& creation, Answers& answers) {
  SetupReport report = decode_setup_report(message.payload);
  if (const auto* failed = std::get_if<SetupFailed>(&report)) {
    throw Error(failed->error, failed->call, failed->subject, explain(*failed));
  }
  if (message.fds.size() != 1) throw Error(EBADMSG, "create", "setup report");
  if (auto* ready = std::get_if<Ready>(&report)) {
    creation.ready = std::move(*ready);
    creation.root = std::move(message.fds.front());
    answers.ready = true;
  } else {
    creation.host_pid = std::get<Cloned>(report).host_pid;
    creation.pidfd = std::move(message.fds.front());
    answers.cloned = true;
  }
}

}  // namespace

Creation launch(LauncherClient& launcher, const LaunchRequest& request,
                std::span<const int> passed) {
  auto [ours, theirs] = MessageSocket::pair();
  std::vector<int> fds{theirs.fd()};
  fds.insert(fds.end(), passed.begin(), passed.end());
  launcher.launch(request, fds);
  theirs = MessageSocket();

  Creation creation;
  Answers answers;
  while (!answers.cloned || !answers.ready) {
    std::optional<Message> message = ours.receive();
    if (!message) {
      throw Error(EPIPE, "create", "sandbox", "the launcher or the new sandbox was killed");
    }
    take_report(std::move(*message), creation, answers);
  }
  creation.control = std::move(ours);
  return creation;
}

}  // namespace sandbox
