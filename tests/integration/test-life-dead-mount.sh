#!/bin/bash
# A daemon and a watcher that were both killed leave nothing that hinders the next mount on the same place.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
kill -9 $(watchers_of "$mnt") $(daemons_of "$mnt")
wait_until 10 no_process_of "$mnt"
assert_fails_with 'not connected' ls "$mnt"
try_mount "$work/lun.img" "$mnt"
assert_equal 7 "$mount_status" "exit status on a dead mount"
tells "mount point $mnt: Transport endpoint is not connected" 'a daemon that was mounted there has died' \
  "umount -l $mnt, then mount again"
umount -l "$mnt"
mount_lunfs "$work/lun.img" "$mnt"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "after a new mount"
