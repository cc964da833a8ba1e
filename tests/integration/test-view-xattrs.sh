#!/bin/bash
# user.lunfs.* tell uuid, name label, LV, kind and segments of a disk; writing them is refused.

. "$(dirname "$0")/functions.sh"

requires getfattr setfattr
simple_sr "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
disk=$mnt/$disk_uuid.raw
attribute() { bounded 10 getfattr --only-values -n "user.lunfs.$1" "$disk"; }
assert_equal "$disk_uuid" "$(attribute uuid)" "uuid"
assert_equal "web & db" "$(attribute name)" "name label"
assert_equal "LV-$disk_uuid" "$(attribute lv)" "LV"
assert_equal raw "$(attribute kind)" "kind"
assert_equal 2 "$(attribute segments | wc -w)" "segments ($(attribute segments))"
names=$(bounded 10 getfattr --absolute-names "$disk")
for name in uuid name lv kind segments; do assert_contains "$names" "user\.lunfs\.$name$" "list of attributes"; done
assert_fails_with 'not permitted|Read-only|not supported' setfattr -n user.lunfs.name -v x "$disk"
