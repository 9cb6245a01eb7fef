#!/bin/sh
# Formatting and clang-tidy, version 14 of both, of all our sources.
#
#   sh tests/lint.sh BUILD [--all]      BUILD is configured: it has compile_commands.json
#
# clang-tidy takes minutes for the tests, which it sees with --all only.
# A source that passed is not looked at again until it, a header of ours that it includes or the
# configuration changes; BUILD/lint remembers.
set -eu

build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
memory=$build/lint
mode=${2:-}

sources() {
  find runtime isolation fs proc templates tests "$@" | sort
}

check_version() {
  "$1" --version | grep -q 'version 14\.' && return
  echo "lint.sh: needs $1 version 14, this one decides differently." >&2
  exit 1
}

check_format() {
  sources '(' -name '*.cc' -o -name '*.h' ')' | xargs clang-format --dry-run -Werror
}

# Headers of the system count by the name of the source only.
fingerprint() {
  headers=$(g++ -std=c++20 -MM -MG -I. -Iruntime/include "$1" | sed -e 's/^.*: //' -e 's/\\$//')
  for file in .clang-tidy $headers; do
    if [ -e "$file" ]; then cat "$file"; fi
  done | sha256sum | cut -d' ' -f1
}

# In tests the analyzer mostly walks GoogleTest's macros: 13 s instead of 6 s for a file.
checks_for() {
  case $1 in
    tests/*) echo '-clang-analyzer-*' ;;
  esac
}

tidy_one() {
  passed=$memory/$(echo "$1" | tr / _).$(fingerprint "$1")
  [ -e "$passed" ] && return
  clang-tidy --quiet --checks="$(checks_for "$1")" -p "$build" "$1" 2> /dev/null || return 1
  : > "$passed"
}

# Sources without a line in compile_commands.json are not built on this machine.
check_tidy() {
  mkdir -p "$memory"
  sources -name '*.cc' | while read -r source; do
    case $mode$source in
      tests/*) continue ;;
    esac
    if grep -qF "\"file\": \"$PWD/$source\"" "$build/compile_commands.json"; then echo "$source"; fi
  done | xargs -P "$(nproc)" -n 1 sh tests/lint.sh "$build" --one
}

if [ "$mode" = --one ]; then
  tidy_one "$3"
  exit
fi
check_version clang-format
check_version clang-tidy
check_format
check_tidy
