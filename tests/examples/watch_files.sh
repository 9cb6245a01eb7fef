#!/bin/sh
# Sees three files being created, in a directory that is made after the watch has begun.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl watch -r --json "$id" /home/user > changes &
watcher=$!
until grep -q '"start"' changes; do sleep 0.1; done  # From here on nothing is missed.

sandboxctl exec "$id" -- sh -c 'mkdir results
                                for n in 1 2 3; do echo "$n" > "results/$n.txt"; done'
until grep -q 'results/3.txt' changes; do sleep 0.1; done
kill "$watcher"
wait "$watcher"  # 0: it was asked to end.
grep '"create"' changes
