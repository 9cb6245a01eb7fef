#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/pumps.h"
#include "sandbox/outcome.h"
#include "sandbox/sandbox.h"

namespace sandboxctl {

/// How much of each stream a result document keeps.
inline constexpr uint64_t kCaptureBytes = 16 << 20;

/// What `run` knows when the command has ended.
struct Ending {
  sandbox::Outcome outcome;
  int exit_code = 0;
  sandbox::Usage usage;
  uint64_t missing_bytes = 0;  ///< Of the output, because of --max-output.
};

/// An outcome as an object of a document.
nlohmann::ordered_json outcome_fields(const sandbox::Outcome& outcome);

/// The result document of `run --json`, with a final newline.
std::string result_document(const Ending& ending, const sandbox::Sandbox& box,
                            const CapturePump& out, const CapturePump& err);

/// The document in its place when nothing ran: outcome.kind is "failed".
std::string failure_document(const Failure& failure);

/// The table of `run --explain`: what holds for the command, what was asked for and the defaults.
std::string explanation(const sandbox::Sandbox& box, const sandbox::Command& command);

/// The table of `run --stats`.
std::string statistics(const Ending& ending, const sandbox::Sandbox& box);

}  // namespace sandboxctl
