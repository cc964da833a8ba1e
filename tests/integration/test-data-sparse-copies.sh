#!/bin/bash
# Copies with holes, out of a VDI and onto one: cp --sparse gives the same bytes, never what lay under the hole before. @short

. "$(dirname "$0")/functions.sh"

requires rsync
simple_vg "$work/lun.img"
truncate -s 16m "$work/source"
random_file "$work/part" $((2 << 20))
dd if="$work/part" of="$work/source" bs=1M seek=3 conv=notrunc status=none
dd if="$work/part" of="$work/source" bs=1M seek=14 conv=notrunc status=none
serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt"

onto() {
  bounded 30 cp --sparse=never "$work/lun.img.disk" "$mnt/disk"
  bounded 60 "$@" "$work/source" "$mnt/disk" || fail "$* onto a VDI fails"
  assert_same_bytes "$mnt/disk" "$work/source" "$* onto a VDI"
  assert_equal "$(sha256_of "$work/source")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "$*, on the LUN"
}
out_of() {
  rm -f "$work/copy"
  bounded 60 "$@" "$mnt/disk" "$work/copy" || fail "$* out of a VDI fails"
  assert_same_bytes "$work/copy" "$work/source" "$* out of a VDI"
}
onto cp --sparse=never
onto cp --sparse=always
for how in auto always never; do out_of cp --sparse=$how; done
out_of rsync -S
out_of cp -a
