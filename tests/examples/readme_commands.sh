#!/bin/sh
# Runs each `sandboxctl run` line that README.md has for the command line, before the blocks that
# are scripts, in a directory of its own. A line ends with 0, or with N if its comment says "exit N".
#
#   sh readme_commands.sh README.md DIRECTORY_OF_SANDBOXCTL
set -eu

PATH=$2:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 711 "$work"  # The sandboxes of root run as somebody else, who must be able to pass.
export SANDBOX_HOME="$work/data"
mkdir -p "$work/project" "$work/rootfs/bin"
chmod 755 "$work/project" "$work/rootfs" "$work/rootfs/bin"
printf 'all:\n\techo built > built\n' > "$work/project/Makefile"
cp "$(command -v busybox)" "$work/rootfs/bin/sh"
chmod 755 "$work/rootfs/bin/sh"
cd "$work/project"

commands=0
sed -n '/^## Command line$/,/^### /p' "$1" | grep '^    sandboxctl run' > "$work/commands"
while read -r line; do
  expected=$(echo "$line" | sed -n 's/.*# exit \([0-9]*\).*/\1/p')
  status=0
  sh -c "$line" > "$work/output" 2>&1 < /dev/null || status=$?
  if [ "$status" != "${expected:-0}" ]; then
    echo "exit $status, not ${expected:-0}: $line"
    cat "$work/output"
    exit 1
  fi
  commands=$((commands + 1))
done < "$work/commands"
echo "$commands commands run"
[ "$commands" -gt 5 ]
