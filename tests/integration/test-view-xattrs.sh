#!/bin/bash
# user.lunfs.* tell uuid, name label, LV, kind, segments and allocation of a disk, of a VHD its chain and origin;
# writing them is refused, and there are none of other namespaces.

. "$(dirname "$0")/functions.sh"

requires getfattr setfattr
simple_sr "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
disk=$mnt/$disk_uuid.raw
attribute() { bounded 10 getfattr --only-values -n "user.lunfs.$1" "$disk"; }
names() { bounded 10 getfattr --absolute-names "$disk"; }
assert_equal "$disk_uuid" "$(attribute uuid)" "uuid"
assert_equal "web & db" "$(attribute name)" "name label"
assert_equal "LV-$disk_uuid" "$(attribute lv)" "LV"
assert_equal raw "$(attribute kind)" "kind"
assert_equal 2 "$(attribute segments | wc -w)" "segments ($(attribute segments))"
assert_equal $((16 << 20)) "$(attribute allocated)" "allocated"
for name in uuid name lv kind segments allocated; do assert_contains "$(names)" "user\.lunfs\.$name$" "list of attributes"; done
assert_lacks "$(names)" "user\.lunfs\.(chain|parent|snapshot_of)$" "list of attributes"
assert_fails_with 'not permitted|Read-only|not supported' setfattr -n user.lunfs.name -v x "$disk"
assert_fails_with 'No such attribute' getfattr -n user.other "$disk"
# Not "no such attribute", upon which ls would ask for one of each file.
for name in security.selinux system.posix_acl_access; do
  assert_fails_with 'not supported' getfattr -n "$name" "$disk"
done

unpack "$data/xenserver/sr-sample.img.xz" "$work/sample.img"
remount_lunfs "$work/sample.img" "$mnt"
snapshot=3a645ffd-a899-44b0-bc60-1fee51c7a821
node=VHD-77ef456c-892a-486a-9560-aaa5c3d6543d
disk=$mnt/$snapshot.raw
assert_equal vhd "$(attribute kind)" "kind of a VHD"
assert_equal "VHD-$snapshot" "$(attribute lv)" "LV of a VHD"
assert_equal "$node" "$(attribute parent)" "parent"
assert_equal "VHD-$snapshot $node VHD-101cd468-5a5c-4689-a4c3-8c4119613698" "$(attribute chain)" "chain"
assert_equal 6190d680-4ac3-453d-a847-ba9e31bfa7aa "$(attribute snapshot_of)" "origin of a snapshot"
assert_equal $(($(stat -c %b "$disk") * 512)) "$(attribute allocated)" "allocated"
# A VHD's entry under lv holds its stored bytes and is another file.
assert_equal bytes "$(bounded 10 getfattr --only-values -n user.lunfs.kind "$mnt/.lunfs/lv/VHD-$snapshot")" "kind of stored bytes"
[[ $(stat -c %i "$disk") != $(stat -c %i "$mnt/.lunfs/lv/VHD-$snapshot") ]] || fail "disk and stored bytes are one file"
