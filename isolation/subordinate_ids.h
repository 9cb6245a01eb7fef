#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "isolation/id_map.h"

namespace sandbox {

/// The first range of at least `at_least` ids that `text`, the content of /etc/subuid or
/// /etc/subgid, gives to the user: subuid(5).
///
/// Lines are `owner:first:count`, the owner a name or a uid; for subgid it is the user's uid too.
/// Lines that are not of this form are passed over, as newuidmap(1) does, and so are ranges that
/// could never be mapped: those that contain 0 or the user, or go beyond the largest id. The two
/// files are independent: look in each.
std::optional<IdRange> find_subordinate_range(std::string_view text, std::string_view user_name,
                                              uid_t uid, uint32_t at_least);

}  // namespace sandbox
