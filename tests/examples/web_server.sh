#!/bin/sh
# A web server in the background, asked by another command of the same sandbox, then ended.
set -eu

id=$(sandboxctl create)  # With a network of its own: port 8080 is free.
trap 'sandboxctl rm "$id"' EXIT

echo '<h1>Hello</h1>' | sandboxctl files write "$id" site/index.html
server=$(sandboxctl exec -d -w site "$id" -- python3 -m http.server 8080)

# `until`, because the server needs a moment; Python for machines without curl.
sandboxctl exec -i "$id" -- sh << 'SCRIPT'
fetch() {
  if command -v curl > /dev/null; then
    curl -sf http://localhost:8080/index.html
  else
    python3 -c 'import urllib.request as u; print(u.urlopen("http://localhost:8080").read().decode())'
  fi
}
until fetch 2> /dev/null; do sleep 0.1; done
SCRIPT

sandboxctl kill "$id" "$server"
status=0
sandboxctl attach "$id" "$server" > /dev/null 2> requests.log || status=$?  # What it printed.
grep 'GET /' requests.log
echo "The server ended with $status"  # 143: by SIGTERM.
