#!/bin/bash
# A LUN cut to a tenth mounts: what lies beyond is an error and stands in status.json, no read gives other bytes. @short

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 200m plain
new_lv plain near 4
new_lv plain far 8 150-157
save_layout "$work/layout"
close_lvm
random_file "$work/near" $((4 << 20))
lv_bytes write "$work/layout" "$work/lun.img" near 0 <"$work/near"
truncate -s 20m "$work/lun.img"
serve "$work/lun.img"

mount_lunfs "$(lun_url)" "$mnt"
assert_same_bytes "$mnt/near" "$work/near" "the LV that is all there"
if [[ -e $mnt/far ]]; then
  assert_fails_with 'Input/output error' dd if="$mnt/far" of=/dev/null bs=64k count=1
fi
assert_contains "$(status_of "$mnt")" 'far' "status.json names the LV"
assert_contains "$(status_of "$mnt")" 'short|beyond|past the end|ends' "status.json says why"
