#!/bin/sh
# Runs inside the microVM: every program of tests as root and as uid 1000; before that, with cgroup
# version 1 only, what says that version 2 is missing.
#
#   suite.sh LIST      LIST has a program and a --gtest_filter in each line
#
# Both users are born in a cgroup below one that they may divide, with every controller. Their
# temporary files, and so the homes of their sandboxes, lie on the scratch disk. They run at the same
# time, each on one of the two emulated processors.
set -u

list=$1

# What a machine without version 2 answers: a kernel that has mounted no cgroup2 yet.
version_1='CliLimits.RefusedLimit*:CliLimits.SandboxWithoutACgroup*:Limits.MachineWithoutControllers*'

mount_the_rest() {
  mkdir -p /dev/pts /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t tmpfs -o mode=755 tmpfs /run
  busybox ip link set lo up
}

add_user() {
  grep -q '^[^:]*:[^:]*:1000:' /etc/passwd && return
  echo 'tester:x:1000:1000::/vm-scratch/user:/bin/sh' >> /etc/passwd
  echo 'tester:x:1000:' >> /etc/group
}

# One range for uid 1000, far from everything, whoever it is on the host.
add_subordinate_ids() {
  echo '1000:1000000:65536' >> /etc/subuid
  echo '1000:1000000:65536' >> /etc/subgid
}

mount_version_1() {
  mount -t tmpfs -o mode=755 none /sys/fs/cgroup
  for controller in cpu memory pids; do
    mkdir "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" none "/sys/fs/cgroup/$controller"
  done
}

unmount_version_1() {
  umount /sys/fs/cgroup/cpu /sys/fs/cgroup/memory /sys/fs/cgroup/pids /sys/fs/cgroup
}

# As systemd does. A hierarchy gives its controller back some time after it was unmounted.
mount_version_2() {
  mount -t cgroup2 -o nsdelegate,memory_recursiveprot none /sys/fs/cgroup
  for _ in $(seq 100); do
    grep -q 'cpu .*memory.* pids' /sys/fs/cgroup/cgroup.controllers && return
    sleep 0.1
  done
  echo "microvm: version 2 has no controllers but: $(cat /sys/fs/cgroup/cgroup.controllers)"
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
  mkdir -p "/vm-scratch/$name"
  chown "$uid:$uid" "/vm-scratch/$name"
  sh -c 'if [ -e "$0" ]; then echo $$ > "$0"; fi
    exec "$@"' "/sys/fs/cgroup/$name/leaf/cgroup.procs" \
    setpriv --reuid="$uid" --regid="$uid" --clear-groups \
    env HOME="/vm-scratch/$name" TMPDIR="/vm-scratch/$name" \
    SANDBOX_HOME="/vm-scratch/$name/sandboxes" SANDBOX_TEST_MICROVM=1 "$@"
}

seconds() {
  cut -d. -f1 /proc/uptime
}

# run_program NAME UID PROGRAM FILTER: its skips; all it says when it failed, or is a benchmark.
run_program() {
  log=/vm-scratch/$1.log began=$(seconds) result=0
  as "$1" "$2" "$3" --gtest_filter="$4" > "$log" 2>&1 < /dev/null || result=1
  if [ "$result" != 0 ] || [ "$4" = - ]; then
    cat "$log"
  else
    grep -A2 ': Skipped$' "$log"
  fi
  echo "microvm: $1: ${3##*/}: $(grep -E '^\[  (PASSED|FAILED)  \]' "$log" | head -n 1)" \
    "($(($(seconds) - began)) s)"
  return $result
}

# Of every program that has some of the tests.
run_with_version_1() {
  failed_1=0
  while read -r program _; do
    "$program" --gtest_filter="$version_1" --gtest_list_tests | grep -qE '^(Cli)?Limits\.$' || continue
    run_program "$1" "$2" "$program" "$version_1" || failed_1=1
  done < "$list"
  return $failed_1
}

# A line for each program, and one for each test of ten seconds or more; the whole output when it
# failed, its skips in any case.
run_programs() {
  failed=0
  while read -r program filter; do
    run_program "$1" "$2" "$program" "$filter" || failed=1
    sed -n 's/^\[ *OK \] \(.*([0-9]\{5,\} ms)\)$/    \1/p' "$log"
  done < "$list"
  return $failed
}

mount_the_rest
add_user
add_subordinate_ids
mount_version_1
run_with_version_1 root 0
failed_before=$?
run_with_version_1 user 1000 || failed_before=1
unmount_version_1
mount_version_2
enable_controllers
delegate root 0
delegate user 1000
run_programs user 1000 > /vm-scratch/user.out &
run_programs root 0
failed=$?
[ "$failed_before" = 0 ] || failed=1
wait $! || failed=1
cat /vm-scratch/user.out
exit $failed
