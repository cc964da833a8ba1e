#!/bin/bash
# A second read-write mount of the same VG on this host is refused by name; a read-only one is not.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mkdir "$work/second"
mount_lunfs "$(lun_url)" "$mnt"
refused 1 "$(lun_url)" "$work/second"
in_three_parts
says 'plain|mounted|lock'
mount_lunfs "$(lun_url)" "$work/second" -o ro
assert_same_bytes "$work/second/disk" "$work/lun.img.disk" "read through the second mount"
