#!/bin/sh
# What is in a directory, with sizes: for people, as a tree, and for programs.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl exec "$id" -- sh -c 'mkdir -p project/src; echo "# Demo" > project/README.md
                                head -c 4096 /dev/zero > project/src/data.bin'
sandboxctl files ls "$id" project
sandboxctl files tree "$id" project
sandboxctl files ls "$id" project/src --json |
  python3 -c 'import json, sys; print(sum(entry["size_bytes"] for entry in json.load(sys.stdin)), "bytes")'
