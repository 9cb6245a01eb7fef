#!/bin/sh
# Runs the commands below HEADING of README.md as one script, in a directory with a project to build:
# each must end with 0.
#
#   sh readme_block.sh README.md HEADING DIRECTORY_OF_SANDBOXCTL
set -eu

PATH=$3:$PATH
work=$(mktemp -d)
trap 'sandboxctl rm --all; rm -rf "$work"' EXIT
chmod 711 "$work"  # The sandboxes of root run as somebody else, who must be able to pass.
export SANDBOX_HOME="$work/data"
mkdir "$work/project"
printf 'all:\n\techo built > built\n' > "$work/project/Makefile"

sed -n "/^### $2\$/,/^#/p" "$1" | sed -n 's/^    //p' > "$work/commands"
grep -q sandboxctl "$work/commands"
cd "$work/project"
sh -eux "$work/commands"
