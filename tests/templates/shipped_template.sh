#!/bin/sh
# Builds a shipped template with a store of its own, and uses it. A second build does nothing, and a
# step added at its end is the only one that is done.
#
#   sh shipped_template.sh SANDBOXCTL MANIFEST NAME COMMAND
set -eu

sandboxctl=$1 manifest=$2 name=$3 command=$4
if [ "$(id -u)" = 0 ]; then
  echo "Skipped: needs an ordinary user"
  exit 77
fi
work=$(mktemp -d)
trap '"$sandboxctl" template rm "$name" || true; rm -rf "$work"' EXIT
export SANDBOX_HOME="$work/data"
export PATH="$PATH:/usr/sbin:/sbin"  # mmdebstrap runs what is there.

die() {
  echo "$*"
  exit 1
}

"$sandboxctl" template build "$manifest"
"$sandboxctl" run -T "$name" -- /bin/sh -ec "$command"

"$sandboxctl" template build "$manifest" 2> "$work/again"
if grep -v '(unchanged)$' "$work/again"; then die "the second build did something"; fi

{ cat "$manifest"; echo '  - run: echo something new'; } > "$work/more.yaml"
"$sandboxctl" template build "$work/more.yaml" 2> "$work/more"
grep -q '^something new$' "$work/more" || die "the step that was added is not done"
[ "$(grep -c '^\[.*\] ' "$work/more")" = "$(($(grep -c '(unchanged)$' "$work/more") + 1))" ] ||
  die "more than the step that was added was done"
