#!/bin/bash
# Whatever lies at the extents that lvs names is read through the mount: random layouts, a striped LV, LUNs of 512- and 4096-byte blocks. @short @timeout=180

. "$(dirname "$0")/functions.sh"

. "$here/lib/layouts.sh"
start_tgtd
new_target 1 "$iqn"
lun=1
for block in 512 4096; do
  image=$work/lun$lun.img
  random_vg "$image" "$block"
  new_lun 1 $lun "$image" "$block"
  for lv in v1 v2 v3 striped; do
    random_file "$work/$lv" "$(lv_bytes size "$image.layout" $lv)"
    lv_bytes write "$image.layout" "$image" $lv 0 <"$work/$lv"
  done
  mount_lunfs "$(lun_url $lun)" "$mnt"
  for lv in v1 v2 v3 striped; do
    assert_same_bytes "$mnt/$lv" "$work/$lv" "$lv with $block-byte blocks"
    bounded 120 python3 "$tools/random_io.py" read "$mnt/$lv" "$work/$lv" 100 $((seed + lun))
  done
  unmount "$mnt"
  lun=$((lun + 1))
done
