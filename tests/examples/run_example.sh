#!/bin/sh
# Runs PROGRAM in an empty data directory; it must succeed and print a line that matches PATTERN.
#
#   sh run_example.sh PROGRAM PATTERN
set -eu

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
chmod 711 "$home"  # The sandboxes of root run as somebody else, who must be able to pass.
SANDBOX_HOME=$home/sandbox "$1" > "$home/output"
cat "$home/output"
grep -q "$2" "$home/output"
