#!/bin/sh
# A text file: written from outside, changed inside, read back.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

echo 'Hello from outside' | sandboxctl files write "$id" notes.txt  # Below /home/user.
sandboxctl exec "$id" -- sh -c "echo 'Hello from inside' >> notes.txt"
sandboxctl files cat "$id" notes.txt
