#!/bin/bash
# A daemon that was killed leaves nothing that hinders the next mount on the same place.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
kill -9 "$(daemons_of "$mnt")"
wait_until 10 no_daemon_of "$mnt"
assert_fails_with 'not connected' ls "$mnt"
umount -l "$mnt"
mount_lunfs "$work/lun.img" "$mnt"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "after a new mount"
