#!/bin/sh
# Boots a microVM, runs tests/vm/suite.sh in it, and takes over its verdict.
#
#   run.sh LIST        LIST has a program of tests and a --gtest_filter in each line
#
# The guest has Debian's kernel 6.1, the whole cgroup v2 and the machine's own root, read-only. It is
# emulated: under nested virtualisation KVM can hang at boot. Exit code 77 means that a program is
# missing; with CI=true that is a failure.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
list=$(realpath "$1")
PATH=$PATH:/usr/sbin:/sbin

skip() {
  echo "Skipped: $1"
  [ "${CI:-}" = true ] && exit 1
  exit 77
}

require_programs() {
  [ "$(uname -m)" = x86_64 ] || skip "needs an x86-64 machine"
  for program in qemu-system-x86_64 busybox cpio mkfs.ext4 apt-get dpkg-deb; do
    command -v "$program" > /dev/null || skip "needs the program $program"
  done
}

make_initramfs() {
  mkdir -p initramfs/bin initramfs/m
  cp "$(command -v busybox)" initramfs/bin/busybox
  cp "$here/init" initramfs/init
  chmod 755 initramfs/init
  cp "$1"/*.ko initramfs/m/
  (cd initramfs && find . | cpio -o -H newc --quiet | gzip -1) > initramfs.gz
}

make_scratch_disk() {
  truncate -s 4G scratch.img
  mkfs.ext4 -qF scratch.img
}

# panic=-1 with -no-reboot: a panic of the guest ends QEMU. Each process that is killed for want of
# memory would be a line on the console, which is slow.
boot() {
  timeout 1100 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2G \
    -nodefaults -no-user-config -no-reboot -display none -serial stdio \
    -kernel "$1/vmlinuz" -initrd initramfs.gz \
    -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=root,mount_tag=hostroot \
    -drive file=scratch.img,format=raw,if=none,id=scratch -device virtio-blk-pci,drive=scratch \
    -append "console=ttyS0 loglevel=1 panic=-1 run=\"sh $here/suite.sh $list\"" < /dev/null |
    tr -d '\r' > console.log
}

[ -s "$list" ] || { echo "vm/run.sh: $list has no programs" >&2; exit 1; }
require_programs
kernel=$(sh "$here/kernel.sh") || skip "needs Debian's kernel package"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_initramfs "$kernel"
make_scratch_disk
boot "$kernel" || echo "microvm: QEMU was stopped: time limit or crash"
cat console.log
grep -q '^MICROVM-RC=0$' console.log
