#!/bin/bash
# Whatever is written through the mount is found at the extents that lvs names: random layouts, a striped LV, LUNs of 512- and 4096-byte blocks. @short @timeout=180

. "$(dirname "$0")/functions.sh"

. "$here/lib/layouts.sh"
start_tgtd
new_target 1 "$iqn"
lun=1
for block in 512 4096; do
  image=$work/lun$lun.img
  random_vg "$image" "$block"
  new_lun 1 $lun "$image" "$block"
  mount_lunfs "$(lun_url $lun)" "$mnt"
  for lv in v1 v2 v3 striped; do
    lv_bytes read "$image.layout" "$image" $lv >"$work/model"
    bounded 120 python3 "$tools/random_io.py" write "$mnt/$lv" "$work/model" 60 $((seed + lun))
    assert_equal "$(sha256_of "$work/model")" "$(lv_bytes sha256 "$image.layout" "$image" $lv)" \
      "$lv on the LUN with $block-byte blocks"
  done
  unmount "$mnt"
  # Nothing beside the LVs changed: the VG is what lvm2 knows, the filler volumes are as they were.
  check_untouched "$image" "$block"
  lun=$((lun + 1))
done
