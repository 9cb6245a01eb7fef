#!/bin/sh
# Makes, in the directory $1: `root`, a root file system of the programs of this machine that it
# takes to install a package, and `hello.deb`, a package.
set -eu
umask 022
cd "$1"

copy() {
  [ -e "root$1" ] || { mkdir -p "root$(dirname "$1")" && cp -L "$1" "root$1"; }
}

copy_with_libraries() {
  copy "$1"
  for library in $(ldd "$1" 2> /dev/null | grep -o '/[^ ]*'); do
    case $library in /lib*) library=/usr$library ;; esac
    copy "$library"
  done
}

mkdir -p root/usr/bin root/usr/sbin root/usr/lib root/usr/lib64 root/usr/share/dpkg
for name in bin sbin lib lib64; do ln -s "usr/$name" "root/$name"; done
mkdir -p root/etc/apt/apt.conf.d root/etc/apt/preferences.d root/etc/apt/sources.list.d
mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates root/var/lib/apt/lists/partial
mkdir -p root/var/cache/apt/archives/partial root/var/log
: > root/var/lib/dpkg/status
echo '_apt:x:42:65534::/nonexistent:/usr/sbin/nologin' > root/etc/passwd
cp /usr/share/dpkg/*table root/usr/share/dpkg
for name in apt-get bash cat chown diff dpkg dpkg-deb dpkg-query dpkg-split env ldconfig ls rm sh \
    start-stop-daemon stat tar; do
  copy_with_libraries "$(PATH=/usr/bin:/usr/sbin command -v "$name")"
done
for name in copy file store; do copy_with_libraries "/usr/lib/apt/methods/$name"; done

mkdir -p package/DEBIAN package/usr/bin package/etc
cat > package/DEBIAN/control << END
Package: hello-inside
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: says hello
END
printf '#!/bin/sh\nset -e\nchown 33:34 /etc/hello.conf\n' > package/DEBIAN/postinst
echo /etc/hello.conf > package/DEBIAN/conffiles
chmod 755 package/DEBIAN/postinst
echo greeting > package/etc/hello.conf
printf '#!/bin/sh\necho hello\n' > package/usr/bin/hello-inside
chmod 755 package/usr/bin/hello-inside
dpkg-deb --root-owner-group --build package hello.deb
