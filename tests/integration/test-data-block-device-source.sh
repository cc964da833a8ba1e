#!/bin/bash
# A block device as the source: reads and writes as the image behind it.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
open_lvm "$work/lun.img"
device=$lvm_device
mount_lunfs "$device" "$mnt"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "read"
cp "$work/lun.img.disk" "$work/model"
bounded 60 python3 "$tools/random_io.py" write "$mnt/disk" "$work/model" 40 $RANDOM
assert_same_bytes "$mnt/disk" "$work/model" "after writing"
unmount "$mnt"
close_lvm
assert_equal "$(sha256_of "$work/model")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "in the image"
