#!/bin/bash
# Root mounts where nobody may write: on a directory that is immutable, which keeps files from being put there while
# nothing is mounted, and in a file system that is read-only. @short

. "$(dirname "$0")/functions.sh"

requires_root
simple_vg "$work/lun.img"
mkdir "$work/readonly"
mount -t tmpfs tmpfs "$work/readonly"
on_exit umount "$work/readonly"
mkdir "$work/readonly/mnt"
mount -o remount,ro "$work/readonly"
mount_lunfs "$work/lun.img" "$work/readonly/mnt"
assert_same_bytes "$work/readonly/mnt/disk" "$work/lun.img.disk" "in a read-only file system"
kill -KILL "$(daemons_of "$work/readonly/mnt")"
wait_until 20 no_process_of "$work/readonly/mnt" || fail "the watcher lives"
not_mounted "$work/readonly/mnt" || fail "the mount of a killed daemon is left"

requires chattr
mkdir "$work/immutable"
chattr +i "$work/immutable" 2>/dev/null || skip "no immutable directories here"
on_exit chattr -i "$work/immutable"
mount_lunfs "$work/lun.img" "$work/immutable"
assert_same_bytes "$work/immutable/disk" "$work/lun.img.disk" "on an immutable directory"
unmount "$work/immutable"
