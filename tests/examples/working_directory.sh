#!/bin/sh
# Where a command runs.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl exec "$id" -- pwd  # The home directory.
sandboxctl files mkdir "$id" project/src
sandboxctl exec -w project/src "$id" -- pwd
sandboxctl exec -w /tmp "$id" -- pwd
