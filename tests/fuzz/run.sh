#!/bin/sh
# Runs decoders under libFuzzer, two at a time, each from what it accepts and from nothing else.
#
#   sh tests/fuzz/run.sh PROGRAM SECONDS [DECODER...]
#
# Without names: what strangers write, that is manifests, layers of images, and their documents, of
# which there are four kinds that share the time. What makes one of them fail is printed in base64;
# `PROGRAM FILE`, with the variables below, shows it again.
set -eu

program=$1 seconds=$2
shift 2
if [ $# = 0 ]; then
  sh "$0" "$program" "$seconds" manifest tar_import
  sh "$0" "$program" $((seconds / 4)) image_index image_manifest image_config saved_images
  exit
fi
work=$(mktemp -d -p /dev/shm 2> /dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT

# A slow machine reads a megabyte of archive for some seconds; an endless loop takes longer.
fuzz_one() {
  mkdir "$work/$1" "$work/$1/seeds" "$work/$1/found"
  TMPDIR=$work/$1 SANDBOX_FUZZ_DECODER=$1 SANDBOX_FUZZ_SEEDS=$work/$1/seeds \
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/$1/" "$work/$1/found" "$work/$1/seeds" > "$work/$1/log" 2>&1 &&
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1/log") &&
    echo "$1: ${runs:-no} runs" && return
  echo "$1 failed:"
  tail -n 60 "$work/$1/log"
  for input in "$work/$1"/crash-* "$work/$1"/timeout-* "$work/$1"/oom-*; do
    if [ -e "$input" ]; then echo "$(basename "$input"): $(base64 -w 0 "$input")"; fi
  done
  return 1
}

status=0
for name in "$@"; do echo "$name"; done > "$work/names"
while read -r first; do
  fuzz_one "$first" &
  pid=$!
  if read -r second; then fuzz_one "$second" || status=1; fi
  wait "$pid" || status=1
done < "$work/names"
exit $status
