#include "isolation/seccomp_filter.h"

#include <linux/filter.h>

namespace sandbox {
namespace {

#include "seccomp_filter_code.inc"  // Written by compile_filters.

}  // namespace

const SeccompFilter& seccomp_filter(Profile profile) noexcept {
  static const SeccompFilter ordinary = {.allow = std::as_bytes(std::span(kDefaultAllow)),
                                         .deny = std::as_bytes(std::span(kDefaultDeny))};
  static const SeccompFilter strict = {.allow = std::as_bytes(std::span(kStrictAllow)),
                                       .deny = std::as_bytes(std::span(kStrictDeny))};
  static const SeccompFilter dev = {.allow = std::as_bytes(std::span(kDevAllow)),
                                    .deny = std::as_bytes(std::span(kDevDeny))};
  switch (profile) {
    case Profile::Strict:
      return strict;
    case Profile::Dev:
      return dev;
    case Profile::Default:
      break;
  }
  return ordinary;
}

}  // namespace sandbox
