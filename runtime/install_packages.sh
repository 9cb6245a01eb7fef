#!/bin/sh
# Installs the Debian packages named in the given files, as root or through sudo. Says what it
# installs; says nothing when all are there. Elsewhere it prints the names and fails.
set -eu

names() {
  sed -e 's/#.*//' "$@"
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

missing() {
  for name in $(names "$@"); do
    is_installed "$name" || printf ' %s' "$name"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" < /dev/null > "$log" 2>&1
}

# A mirror may be busy; the second time the lists are newer, too.
install() {
  for attempt in 1 2 3; do
    if apt update && apt install -y --no-install-recommends "$@"; then return 0; fi
    sleep $((attempt * 5))
  done
  cat "$log" >&2
  echo "Could not install:$missing" >&2
  exit 1
}

if ! command -v apt-get > /dev/null; then
  echo "No apt-get here. Please install what Debian calls: $(names "$@" | xargs)" >&2
  exit 1
fi
missing=$(missing "$@")
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
  echo "Please install as root:$missing" >&2
  exit 1
fi
echo "Installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # A list of words.
install $missing
