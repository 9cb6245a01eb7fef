#!/bin/sh
# Runs PROGRAM in an empty directory, which also holds its data; it must succeed and print lines that match each PATTERN,
# in any order.
#
#   sh run_example.sh PROGRAM PATTERN...
set -eu

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
chmod 711 "$home"  # The sandboxes of root run as somebody else, who must be able to pass.
program=$1
shift
cd "$home"
SANDBOX_HOME=$home/sandbox "$program" > output
cat output
for pattern; do
  if ! grep -q -e "$pattern" output; then
    echo "No line matches: $pattern"
    exit 1
  fi
done
