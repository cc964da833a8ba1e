#!/bin/bash
# A second read-write mount of the same VG on this host is refused by name; a read-only one is not.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mkdir "$work/second"
mount_lunfs "$(lun_url)" "$mnt"
refused 28 "$(lun_url)" "$work/second"
tells "the VG is mounted read-write already: pid $(daemons_of "$mnt") on $mnt" \
  "two read-write mounts of one VG on this host would not see each other's writes" \
  'use the other mount, unmount it first, or mount this one with -o ro'
mount_lunfs "$(lun_url)" "$work/second" -o ro
assert_same_bytes "$work/second/disk" "$work/lun.img.disk" "read through the second mount"
unmount "$work/second"
unmount "$mnt"

echo "the same with an image:"
mount_lunfs "$work/lun.img" "$mnt"
refused 28 "$work/lun.img" "$work/second"
tells "$work/lun.img: held by another program \(pid $(daemons_of "$mnt")\), mounted on $mnt" \
  'a lunfs mount or another program has locked it' 'end the other mount first, or mount this one with -o ro'
mount_lunfs "$work/lun.img" "$work/second" -o ro
assert_same_bytes "$work/second/disk" "$work/lun.img.disk" "read through the second mount"
