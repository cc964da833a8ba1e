#!/bin/bash
# A target that asks for no CHAP needs no credentials. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk"
