#!/bin/bash
# cp of a file with holes onto a VDI gives the file's bytes, also where it has holes: cp takes the
# target as emptied by O_TRUNC and skips them. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
random_file "$work/part" $((2 << 20))
for at in '3 9' '0 14'; do
  rm -f "$work/source"
  truncate -s 16m "$work/source"
  for megabyte in $at; do dd if="$work/part" of="$work/source" bs=1M seek="$megabyte" conv=notrunc status=none; done
  bounded 30 cp --sparse=never "$work/lun.img.disk" "$mnt/disk"
  bounded 30 cp "$work/source" "$mnt/disk" || fail "cp fails"
  assert_same_bytes "$mnt/disk" "$work/source" "data at MiB $at"
done
