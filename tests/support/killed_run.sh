#!/bin/sh
# A run of tests that is killed ends what its tests have left behind. The argument is a program
# whose test leaves a process, names it and waits.
set -eu

output=$(mktemp)
trap 'rm -f "$output"' EXIT
"$1" > "$output" 2>&1 &
run=$!
pid=
while [ -z "$pid" ]; do
    kill -0 "$run"
    sleep 0.02
    pid=$(sed -n 's/^left //p' "$output")
done
kill -KILL "$run"

tries=0
while kill -0 "$pid" 2> /dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 400 ]; then
        kill -KILL "$pid"
        echo "$pid outlived the run by 20 s"
        exit 1
    fi
    sleep 0.05
done
