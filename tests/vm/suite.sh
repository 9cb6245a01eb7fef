#!/bin/sh
# Runs inside the microVM: every program of tests as root and as uid 1000.
#
#   suite.sh LIST      LIST has a program and a --gtest_filter in each line
#
# Both users are born in a cgroup below one that they may divide, with every controller. Their
# temporary files, and so the homes of their sandboxes, lie on the scratch disk. They run at the same
# time, each on one of the two emulated processors.
set -u

list=$1

mount_the_rest() {
  mkdir -p /dev/pts /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t tmpfs -o mode=755 tmpfs /run
  busybox ip link set lo up
}

add_user() {
  grep -q '^[^:]*:[^:]*:1000:' /etc/passwd && return
  echo 'tester:x:1000:1000::/scratch/user:/bin/sh' >> /etc/passwd
  echo 'tester:x:1000:' >> /etc/group
}

# One range for uid 1000, far from everything, whoever it is on the host.
add_subordinate_ids() {
  echo '1000:1000000:65536' >> /etc/subuid
  echo '1000:1000000:65536' >> /etc/subgid
}

# delegate NAME UID: a cgroup that UID may divide, and a leaf in it for its processes.
delegate() {
  group=/sys/fs/cgroup/$1
  mkdir -p "$group/leaf"
  chown "$2:$2" "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control" \
    "$group/cgroup.threads" "$group/leaf" "$group/leaf/cgroup.procs"
}

enable_controllers() {
  tr ' ' '\n' < /sys/fs/cgroup/cgroup.controllers | while read -r controller; do
    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
  done
}

# as NAME UID COMMAND...: joining a delegated cgroup later, from outside, is EACCES.
as() {
  name=$1 uid=$2
  shift 2
  mkdir -p "/scratch/$name"
  chown "$uid:$uid" "/scratch/$name"
  sh -c 'echo $$ > "$0"; exec "$@"' "/sys/fs/cgroup/$name/leaf/cgroup.procs" \
    setpriv --reuid="$uid" --regid="$uid" --clear-groups \
    env HOME="/scratch/$name" TMPDIR="/scratch/$name" SANDBOX_TEST_MICROVM=1 "$@"
}

seconds() {
  cut -d. -f1 /proc/uptime
}

# A line for each program, and one for each test of ten seconds or more; the whole output when it
# failed, its skips in any case.
run_programs() {
  failed=0
  while read -r program filter; do
    log=/scratch/$1.log began=$(seconds)
    if as "$1" "$2" "$program" --gtest_filter="$filter" > "$log" 2>&1 < /dev/null; then
      grep -A2 ': Skipped$' "$log"
    else
      failed=1
      cat "$log"
    fi
    echo "microvm: $1: ${program##*/}: $(grep -E '^\[  (PASSED|FAILED)  \]' "$log" | head -n 1)" \
      "($(($(seconds) - began)) s)"
    sed -n 's/^\[ *OK \] \(.*([0-9]\{5,\} ms)\)$/    \1/p' "$log"
  done < "$list"
  return $failed
}

mount_the_rest
add_user
add_subordinate_ids
enable_controllers
delegate root 0
delegate user 1000
run_programs user 1000 > /scratch/user.out &
run_programs root 0
failed=$?
wait $! || failed=1
cat /scratch/user.out
exit $failed
