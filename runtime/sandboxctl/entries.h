#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/entry_info.h"

namespace sandboxctl {

/// A line each: permissions, owner, group, size, local time, name and where a symlink leads.
std::string entry_table(const std::vector<sandbox::EntryInfo>& entries, bool colour);

/// Several lines about one entry, for `files stat`.
std::string entry_details(const sandbox::EntryInfo& entry);

/// `entries` of the directory `top`, in the order of Files::list, as a tree below its name.
std::string entry_tree(const std::string& top, const std::vector<sandbox::EntryInfo>& entries,
                       bool colour);

/// One entry as `--json` gives it.
nlohmann::ordered_json entry_fields(const sandbox::EntryInfo& entry);
/// An array of them.
std::string entry_document(const std::vector<sandbox::EntryInfo>& entries);

/// `2026-11-21T14:03:07.000000001Z`.
std::string utc_time(std::chrono::system_clock::time_point time);

}  // namespace sandboxctl
