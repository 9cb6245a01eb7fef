#!/bin/sh
# clang-tidy, version 14, of our sources.
#
#   sh tests/lint.sh BUILD          clang-tidy of what is not a test
#   sh tests/lint.sh BUILD --all    clang-tidy of everything, source by source: half an hour
#
# BUILD is built: some headers are generated.
#
# Without --all, clang-tidy sees the sources of a folder joined to a few large ones, since it takes
# three quarters of its time for headers, and its analyzer takes the short way.
# What passed is not looked at again until a source, a header of ours that it includes or the
# configuration changes; BUILD/lint remembers.
set -eu

build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
memory=$build/lint
mode=${2:-}

# Headers of the system count by the name of the source only.
fingerprint() {
  headers=$(g++ -std=c++20 -MM -MG -I. -Iruntime/include "$1" | sed -e 's/^.*: //' -e 's/\\$//')
  for file in .clang-tidy tests/lint.sh $headers; do
    if [ -e "$file" ]; then cat "$file"; fi
  done | sha256sum | cut -d' ' -f1
}

# tidy SOURCE OPTION...
tidy() {
  source=$1
  shift
  clang-tidy --quiet "$@" "$source" -- -std=c++20 -I. -Iruntime/include \
    -I"$build/isolation/generated" -DSANDBOX_INIT_FILE="\"$build/runtime/init/sandbox-init\"" \
    -DSANDBOX_VERSION='""' \
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion 2> /dev/null
}

# In tests the analyzer mostly walks GoogleTest's macros: 13 s instead of 6 s for a file.
tidy_alone() {
  case $1 in
    tests/*) tidy "$1" --checks=-clang-analyzer-* ;;
    *) tidy "$1" ;;
  esac
}

# Whoever reads a finding wants the name of the source.
tidy_joined() {
  findings=$(tidy "$1" --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang \
    --extra-arg=mode=shallow) && return
  sed -n 's/^#line 1 "\(.*\)"$/\1/p' "$1" | while read -r part; do tidy_alone "$part" || :; done
  echo "in $1: $findings"
  return 1
}

tidy_once() {
  passed=$memory/$(echo "$1" | tr / _).$(fingerprint "$1")
  [ -e "$passed" ] && return
  case $1 in
    "$memory"/*) tidy_joined "$1" || return 1 ;;
    *) tidy_alone "$1" || return 1 ;;
  esac
  : > "$passed"
}

# join_sources < SOURCES: writes and lists the joined ones, of twelve of one folder each.
join_sources() {
  awk -v memory="$memory" '
    {
      folder = $0
      sub("/[^/]*$", "", folder)
      gsub("/", "_", folder)
      joined = memory "/joined_" folder "_" int(sources[folder] / 12) ".cc"
      sources[folder] += 1
      all[joined]
      print "#line 1 \"" $0 "\"" > joined
      while ((getline line < $0) > 0) print line > joined
      close($0)
    }
    END {for (joined in all) {close(joined); print joined}}'
}

check_tidy() {
  mkdir -p "$memory"
  if [ "$mode" = --all ]; then
    find runtime isolation fs proc templates tests -name '*.cc' | sort
  else
    find runtime isolation fs proc templates -name '*.cc' | sort | join_sources
  fi | xargs -P "$(nproc)" -n 1 sh tests/lint.sh "$build" --one
}

if [ "$mode" = --one ]; then
  tidy_once "$3"
  exit
fi
if ! clang-tidy --version | grep -q 'version 14\.'; then
  echo "lint.sh: needs clang-tidy version 14, this one decides differently." >&2
  exit 1
fi
check_tidy
