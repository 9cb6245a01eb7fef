#!/bin/sh
# Variables for all commands of a sandbox, and for one.
set -eu

id=$(sandboxctl create -e STAGE=test)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl exec -e GREETING=Hello "$id" -- sh -c 'echo "$GREETING, this is $STAGE"'
sandboxctl exec "$id" -- env  # The next command does not see it.
