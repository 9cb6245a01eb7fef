#!/bin/sh
# Formatting of all our sources, by clang-format 14; and that none includes a header twice.
set -eu
cd "$(dirname "$0")/.."

sources() {
  find runtime isolation fs proc templates tests '(' -name '*.cc' -o -name '*.h' ')' | sort
}

if ! clang-format --version | grep -q 'version 14\.'; then
  echo "format.sh: needs clang-format version 14, this one decides differently." >&2
  exit 1
fi
sources | xargs clang-format --dry-run -Werror
sources | xargs awk '
  /^#include/ && seen[FILENAME, $2]++ {print FILENAME ": includes " $2 " twice"; twice = 1}
  END {exit twice}'
