#!/bin/sh
# A command, with its output and exit code.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl exec "$id" -- touch .hidden visible
sandboxctl exec "$id" -- ls -la
sandboxctl exec "$id" -- ls -la /nosuch || echo "Exit code: $?"
