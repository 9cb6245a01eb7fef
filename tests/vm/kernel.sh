#!/bin/sh
# Prints a directory with the kernel of the microVM: vmlinuz and the modules it needs.
#
# It is Debian's linux-image-amd64, unpacked into the cache and never installed.
set -eu

cache=${SANDBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sandbox-tests}

fail() {
  echo "vm/kernel.sh: $1" >&2
  exit 1
}

kernel_package() {
  apt-cache depends linux-image-amd64 2> /dev/null | awk '/Depends:/ {print $2; exit}'
}

# Package lists are empty on a fresh container.
find_package() {
  package=$(kernel_package)
  if [ -z "$package" ] && [ "$(id -u)" = 0 ]; then
    apt-get update -qq > /dev/null
    package=$(kernel_package)
  fi
  [ -n "$package" ] || fail "apt does not know linux-image-amd64; run 'apt-get update' as root."
}

# Modules that the guest has built in are not in the package, and not missed.
unpack() {
  dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards ./boot/vmlinuz-\* ./lib/modules/\*.ko
  mv boot/vmlinuz-* vmlinuz
  for name in virtio virtio_ring virtio_pci virtio_pci_legacy_dev virtio_pci_modern_dev virtio_blk \
    9pnet 9pnet_virtio netfs fscache 9p overlay tun crc16 crc32c_generic mbcache jbd2 ext4; do
    find lib/modules -name "$name.ko" -exec mv {} . \;
  done
  rm -r ./*.deb boot lib
}

# Whole or not at all: another run may look at the same time.
fetch() {
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/kernel.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  apt-get -o APT::Sandbox::User=root -o Acquire::Retries=3 -qq download "$package" >&2 ||
    fail "apt cannot download $package."
  unpack
  chmod 755 .
  mv -T "$work" "$cache/$package" 2> /dev/null || [ -e "$cache/$package/vmlinuz" ]
}

# What is there serves even when apt knows a newer one by now.
for found in "$cache"/linux-image-*/vmlinuz; do
  [ -e "$found" ] || break
  dirname "$found"
  exit 0
done
find_package
fetch
echo "$cache/$package"
