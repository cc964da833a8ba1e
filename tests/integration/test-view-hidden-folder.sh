#!/bin/bash
# .lunfs is reachable by name and in no listing: cp -a, find and du meet each disk once. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
assert_equal $'disk\nother' "$(ls -A "$mnt")" "listing"
assert_equal 3 "$(bounded 10 find "$mnt" | wc -l)" "what find meets"
assert_equal $'by-name\nlv\nmetrics\nstatus.json' "$(ls -A "$mnt/.lunfs" | sort)" "listing of .lunfs"
assert_equal "$(stat -c %i "$mnt/disk")" "$(stat -c %i "$mnt/.lunfs/lv/disk")" "inode of the disk and of its LV"
bounded 60 cp -a "$mnt/." "$work/copy"
assert_equal $'disk\nother' "$(ls -A "$work/copy")" "the copy"
assert_same_bytes "$work/copy/disk" "$work/lun.img.disk" "the copied disk"
