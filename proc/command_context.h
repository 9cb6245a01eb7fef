#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proc/end_witness.h"
#include "runtime/base/message_socket.h"

namespace sandbox {

/// A user that commands can run as; ids are those inside.
struct CommandUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home;
};

/// What starting commands in one sandbox needs. Immutable; shared by all threads.
struct CommandContext {
  MessageSocket control;
  std::map<std::string, CommandUser> users;  ///< Those that the id map has.
  std::string default_user;
  std::shared_ptr<const EndWitness> witness;  ///< None without a cgroup.
  std::map<std::string, std::string> env;     ///< Of the sandbox, on top of the built-in variables.
  std::string default_cwd;                    ///< Absolute; empty: the user's home.
};

}  // namespace sandbox
