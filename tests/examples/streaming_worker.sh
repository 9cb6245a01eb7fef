#!/bin/sh
# A worker's output as it comes, its complaints apart.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl files write "$id" worker.sh << 'WORKER'
for step in 1 2 3 4 5; do
  echo "step $step of 5"
  [ "$step" != 3 ] || echo 'step 3 was slow' >&2
  sleep 0.1
done
WORKER
sandboxctl exec "$id" -- sh worker.sh 2> complaints | while read -r line; do
  echo "$(date +%S.%N) $line"
done
cat complaints
