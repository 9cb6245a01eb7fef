#!/bin/sh
# Installs what is missing, builds Release and runs the main job: a sandbox from the `host` template,
# a program in it, its output. Prints how long each step took.
set -eu
umask 022
cd "$(dirname "$0")/.."

log=build/logs/quickstart.log

die() {
  echo "runtime/quickstart.sh: $*" >&2
  exit 1
}

# The tree is the one that tests/run.sh uses; the tests themselves are not built here.
build() {
  mkdir -p build/logs
  cmake --preset release > "$log" 2>&1 &&
    cmake --build --preset release --target sandboxctl quickstart >> "$log" 2>&1 && return
  tail -n 40 "$log" >&2
  die "the build failed; see $PWD/$log."
}

sh runtime/install_packages.sh runtime/packages.txt
build
echo "Built build/release/runtime/sandboxctl/sandboxctl."
build/release/tests/examples/quickstart || die "the example failed; 'sandboxctl doctor' tells why."
