#!/bin/sh
# Runs PROGRAM, or SCRIPT.sh with sandboxctl in PATH, in an empty directory, which also holds its
# data; it must succeed and print lines that match each PATTERN, in any order.
#
#   sh run_example.sh PROGRAM|SCRIPT.sh PATTERN...
set -eu

program=$1
shift
home=$(mktemp -d)
clean_up() {
  case $program in
    *.sh) sandboxctl rm --all ;;
  esac
  rm -rf "$home"
}
trap clean_up EXIT
chmod 711 "$home"  # The sandboxes of root run as somebody else, who must be able to pass.
export SANDBOX_HOME="$home/sandbox"
cd "$home"
status=0
case $program in
  *.sh) sh "$program" > output || status=$? ;;
  *) "$program" > output || status=$? ;;
esac
cat output
[ "$status" = 0 ]
for pattern; do
  if ! grep -q -e "$pattern" output; then
    echo "No line matches: $pattern"
    exit 1
  fi
done
