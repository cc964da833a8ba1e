#!/bin/bash
# A XenServer VG shows VDIs as <uuid>.raw, and keeps MGT, hidden, damaged, foreign and service volumes out of the listing. @short

. "$(dirname "$0")/functions.sh"

make_sr "$work/lun.img" 256m
raw=$(new_uuid) base=$(new_uuid) vhd=$(new_uuid) old=$(new_uuid) busy=$(new_uuid)
for lv in MGT "LV-$raw" "LV-$base" "VHD-$vhd" "VHD-OLD_$old" "LV-$busy" "$raw.cbtlog" "hb-$(new_uuid)" backup; do
  new_lv "$vg" "$lv" 2
done
lvm2 lvchange --addtag hidden "$vg/LV-$base" >/dev/null
lvm2 lvchange --addtag cbtlog "$vg/$raw.cbtlog" >/dev/null
new_lv "$vg" "relink_${busy}_1" 1
lvm2 lvchange --addtag journaler "$vg/relink_${busy}_1" >/dev/null
save_layout "$work/layout"
close_lvm
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"

listing=$(ls -A "$mnt")
assert_contains "$listing" "^$raw\.raw$" "listing"
assert_lacks "$listing" "MGT|cbtlog|hb-|backup|OLD_|$base|$vhd|relink|lunfs" "listing"
assert_equal "$(lv_bytes size "$work/layout" "LV-$raw")" "$(size_of "$mnt/$raw.raw")" "size"

status=$(status_of "$mnt")
for hidden in "VHD-$vhd" "LV-$busy"; do assert_contains "$status" "$hidden" "status.json"; done
assert_contains "$(ls "$mnt/.lunfs/lv")" "^VHD-$vhd$" ".lunfs/lv"
assert_contains "$(ls "$mnt/.lunfs/lv")" "^MGT$" ".lunfs/lv"
for lv in MGT "VHD-$vhd"; do
  assert_fails_with 'Read-only|Permission denied' dd if=/dev/zero of="$mnt/.lunfs/lv/$lv" count=1 conv=notrunc
done
# An LV without a VHD in it is the only one that is faulty: one line says so, and where the reason stands.
assert_contains "$(cat "$work/mount.out" "$log")" '1 volume can not be shown; \.lunfs/status\.json' "log"
jq -e --arg lv "VHD-$vhd" '[.not_shown[] | select(.faulty) | .lv] == [$lv]' <<<"$status" >/dev/null || fail "faulty is not just VHD-$vhd: $status"
