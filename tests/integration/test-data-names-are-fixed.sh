#!/bin/bash
# Creating, removing, renaming and linking are refused, the log says so, nothing changes. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
before=$(ls -la --time-style=+ "$mnt")
no='Read-only file system|Operation not supported|not permitted'
assert_fails_with "$no" touch "$mnt/new"
assert_fails_with "$no" mkdir "$mnt/new"
assert_fails_with "$no" mkfifo "$mnt/new"
assert_fails_with "$no" mknod "$mnt/new" p
assert_fails_with "$no" ln -s target "$mnt/new"
assert_fails_with "$no|cross-device" ln "$mnt/disk" "$mnt/new"
assert_fails_with "$no" rm -f "$mnt/disk"
assert_fails_with "$no" rmdir "$mnt/.lunfs"
assert_fails_with "$no" mv "$mnt/disk" "$mnt/new"
assert_fails_with "$no" mv -T "$mnt/disk" "$mnt/other"
assert_fails_with "$no" cp "$work/lun.img.disk" "$mnt/new"
assert_fails_with "$no" rm -f "$mnt/.lunfs/status.json"
assert_equal "$before" "$(ls -la --time-style=+ "$mnt")" "listing"
assert_contains "$(cat "$log")" 'creat|remov|renam' "log"
