#!/bin/sh
# Results that a program inside makes: a file and a whole directory of them come to the host.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl exec "$id" -- sh -c 'mkdir results
                                for n in 1 2 3; do echo "$n,$((n * n))" > "results/$n.csv"; done'
sandboxctl cp "$id:results/3.csv" squares.csv
sandboxctl cp -r "$id:results" .
cat squares.csv results/1.csv
