#!/bin/sh
# Installs, builds and tests everything.
#
#   sh tests/run.sh            what CI runs
#   sh tests/run.sh --all      and the long tests, the sanitizers as root too, more fuzzing
#
# As root, the tests run as root and as the ordinary user sandbox-test, who is created; as anybody
# else only as that user. Output in full: build/logs.
set -eu
umask 022
PATH=$PATH:/usr/sbin:/sbin
exec < /dev/null

root=$(cd "$(dirname "$0")/.." && pwd)
logs=$root/build/logs
cache=/var/cache/sandbox-tests
user=sandbox-test
all=
failed=
priority=

say() {
  echo "== $*"
}

die() {
  echo "tests/run.sh: $*" >&2
  exit 1
}

is_root() {
  [ "$(id -u)" = 0 ]
}

# A failure that leaves the rest worth knowing.
note_failure() {
  failed="$failed${failed:+, }$1"
}

as_user() {
  setpriv --reuid="$user" --regid="$user" --init-groups --reset-env \
    env CI="${CI:-}" SANDBOX_TEST_CACHE="${SANDBOX_TEST_CACHE:-}" "$@"
}

read_options() {
  for option in "$@"; do
    [ "$option" = --all ] || die "unknown option $option (there is --all)"
    all=1
  done
}

# The first id above all that are given away.
free_subordinate_id() {
  awk -F: '$2 + $3 > free {free = $2 + $3} END {print free < 100000 ? 100000 : free}' "$1"
}

add_test_user() {
  is_root || return 0
  if ! id "$user" > /dev/null 2>&1; then
    say "creating the user $user"
    useradd --create-home --shell /bin/sh "$user"
  fi
  touch /etc/subuid /etc/subgid
  if ! grep -q "^$user:" /etc/subuid; then
    first=$(free_subordinate_id /etc/subuid)
    usermod --add-subuids "$first-$((first + 65535))" "$user"
  fi
  if ! grep -q "^$user:" /etc/subgid; then
    first=$(free_subordinate_id /etc/subgid)
    usermod --add-subgids "$first-$((first + 65535))" "$user"
  fi
}

# A checkout below /root is closed to the test user. File times stay, so that a second run builds
# only what changed.
move_to_a_readable_place() {
  is_root || return 0
  if as_user test -r "$root/tests/run.sh"; then return 0; fi
  copy=$cache/checkout-$(echo "$root" | cksum | cut -d' ' -f1)
  say "$user cannot read $root; testing a copy in $copy"
  mkdir -p "$copy"
  find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
  tar -C "$root" --exclude=./build --exclude=./.git -cf - . | tar -C "$copy" --no-same-owner -xf -
  exec sh "$copy/tests/run.sh" "$@"
}

# Both users look here.
fetch_kernel() {
  if is_root; then export SANDBOX_TEST_CACHE="$cache"; fi
  sh tests/vm/kernel.sh > "$logs/kernel.log" 2>&1 || say "no kernel for the microVM: $(tail -n 1 "$logs/kernel.log")"
}

# step NAME WHAT COMMAND...: quiet unless it fails.
step() {
  name=$1 what=$2 began=$(date +%s)
  shift 2
  if $priority "$@" > "$logs/$name.log" 2>&1; then
    say "$what ($(($(date +%s) - began)) s)"
  else
    cat "$logs/$name.log"
    return 1
  fi
}

build() {
  step "configure-$1" "configured $1" cmake --preset "$1" || die "cmake --preset $1 failed."
  step "build-$1" "built $1" cmake --build --preset "$1" || die "the build of $1 failed."
}

check_format() {
  step format "formatting agrees" sh tests/format.sh || die "clang-format disagrees."
}

lint() {
  step lint "clang-tidy agrees" sh tests/lint.sh build/release "$all"
}

# Each source by itself, where the others join a dozen: that it includes what it needs.
build_debug() {
  if [ -n "$all" ]; then build debug; fi
}

# With what the tests leave idle of the CPUs. A session of its own, because the kernel compares the
# niceness of sessions first, where it has autogroups: sched(7).
behind_the_tests() {
  setsid -w sh -c 'echo $$ > "$0"
    echo 19 2> /dev/null > /proc/self/autogroup
    exec nice -n 19 "$@"' "$logs/$name.pid" "$@"
}

begin_in_background() {
  trap 'end_background; exit 130' INT TERM
  (priority=behind_the_tests; build asan) &
  asan_build=$!
  (priority=behind_the_tests; lint) &
  lint=$!
  (priority=behind_the_tests; build fuzz) &
  fuzz_build=$!
}

# Whoever interrupts us does not reach other sessions.
end_background() {
  for leader in "$logs"/*.pid; do
    if [ -e "$leader" ]; then kill -- "-$(cat "$leader")" 2> /dev/null || true; fi
  done
}

finish_asan_build() {
  wait "$asan_build" || die "the sanitized build failed."
}

finish_lint() {
  wait "$lint" || note_failure lint
}

# ctest_in DIRECTORY BUILD OPTION...: ctest writes its logs into a directory of its own, because the
# user who tests may not be the one who built.
ctest_in() {
  echo "subdirs(\"$root/build/$2\")" > "$1/CTestTestfile.cmake"
  directory=$1
  shift 2
  "$as" ctest --test-dir "$directory" -j "$(nproc)" --no-tests=error \
    --output-on-failure --repeat "until-pass:$(tries)" "$@"
}

# CI's machine is shared, so a test that ran out of time there gets a second try, and is named.
tries() {
  if [ "${CI:-}" = true ]; then echo 2; else echo 1; fi
}

as_self() {
  "$@"
}

# run_tests PASS as_self|as_user BUILD OPTION...
run_tests() {
  pass=$1 as=$2 began=$(date +%s)
  shift 2
  directory=$(mktemp -d)
  if [ "$as" = as_user ]; then chown "$user" "$directory"; fi
  ctest_in "$directory" "$@" > "$logs/$pass.log" 2>&1 || {
    grep -v -e '^ *Start ' -e ' Passed ' "$logs/$pass.log"
    note_failure "tests ($pass)"
  }
  cp "$directory/Testing/Temporary/LastTest.log" "$logs/$pass.full.log"
  rm -rf "$directory"
  grep -E '\*\*\*(Failed|Timeout|Exception)' "$logs/$pass.log" | sed 's/^.*Test *#/== tried again: #/; s/ \.\.*/ /' || true
  summary=$(grep 'tests passed' "$logs/$pass.log" || echo "no tests were found")
  say "$pass: $summary ($(($(date +%s) - began)) s)"
}

# Long tests wait for --all; the microVM is a pass of its own.
without() {
  if [ -n "$all" ]; then echo '^vm$'; else echo '^(vm|long)$'; fi
}

test_release() {
  if is_root; then
    run_tests root as_self release -LE "$(without)"
    run_tests user as_user release -LE "$(without)"
    run_tests vm as_user release -L '^vm$'
  else
    run_tests user as_self release -LE "$(without)"
    run_tests vm as_self release -L '^vm$'
  fi
}

test_sanitized() {
  if is_root; then
    if [ -n "$all" ]; then run_tests asan-root as_self asan -LE "$(without)"; fi
    run_tests asan as_user asan -LE "$(without)"
  else
    run_tests asan as_self asan -LE "$(without)"
  fi
}

# By libFuzzer, as the user: what archives unpack to is written. Two at a time, whatever nproc says.
fuzz() {
  wait "$fuzz_build" || die "the build of the fuzzers failed."
  seconds=60
  if [ -n "$all" ]; then seconds=240; fi
  if is_root; then as=as_user; else as=as_self; fi
  step fuzz "fuzzed manifests, layers and documents of images, $seconds s each" \
    "$as" sh tests/fuzz/run.sh build/fuzz/tests/fuzz/fuzz_templates "$seconds" || note_failure fuzz
}

# "PASS REASON" for each skipped test: the line after GoogleTest's "file:line: Skipped", or what a
# script says after "Skipped: ".
skips() {
  for log in "$logs"/*.full.log; do
    pass=$(basename "$log" .full.log)
    tr -d '\r' < "$log" | awk -v pass="$pass" '
      reason_follows && $0 != "" {print pass, $0}
      {reason_follows = /: Skipped$/}
      sub(/^Skipped: /, "") {print pass, $0}'
  done
}

report_skips() {
  skips | sort | uniq -c > "$logs/skips.txt"
  say "skipped tests, by pass and reason"
  cat "$logs/skips.txt"
  sed -e 's/^ *[0-9]* //' "$logs/skips.txt" | sort > "$logs/skips.happened"
  expected_skips | sort > "$logs/skips.expected"
  if ! diff "$logs/skips.expected" "$logs/skips.happened" > "$logs/skips.diff"; then
    say "skips that CI would not accept ('<': expected and missing, '>': not expected)"
    grep '^[<>]' "$logs/skips.diff"
    if [ "${CI:-}" = true ]; then note_failure "skips"; fi
  fi
}

# Of the passes that there were.
expected_skips() {
  for log in "$logs"/*.full.log; do
    grep "^$(basename "$log" .full.log) " tests/expected_skips.txt || true
  done
}

# The last lines are ctest's own, of the last pass.
finish() {
  if [ -n "$failed" ]; then
    die "failed: $failed. See $logs."
  fi
  echo
  grep -e 'tests passed' -e '^Total Test time' "$logs/$pass.log"
}

read_options "$@"
cd "$root"
sh runtime/install_packages.sh runtime/packages.txt tests/packages.txt
add_test_user
move_to_a_readable_place "$@"
export CCACHE_BASEDIR="$root"
mkdir -p "$logs"
rm -f "$logs"/*
fetch_kernel
check_format
build release
begin_in_background
test_release
finish_asan_build
test_sanitized
finish_lint
build_debug
fuzz
report_skips
finish
