#!/bin/bash
# df tells the size of the VG and what is free in it.

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 96m plain
new_lv plain disk 20
sizes=$(lvm2 vgs --noheadings --nosuffix --units b -o vg_size,vg_free plain | awk '{print $1, $2}')
close_lvm
mount_lunfs "$work/lun.img" "$mnt"
assert_equal "$sizes" "$(df -B1 --output=size,avail "$mnt" | tail -n 1 | awk '{print $1, $2}')" "size and free bytes"
