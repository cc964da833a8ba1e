#!/bin/bash
# Four sessions: writers of different bytes of the same block, and of whole ones, by both names of the disk,
# all at once: none puts old bytes back over another's, whatever session it came by. @timeout=300

. "$(dirname "$0")/functions.sh"

# neighbours BLOCK_BYTES SECTOR_BYTES
neighbours() {
  simple_vg "$work/lun$1.img" "$1"
  serve "$work/lun$1.img" "$1"
  mount_lunfs "$(lun_url)" "$mnt" -o cache=none,sessions=4
  bounded 140 python3 "$tools/neighbours.py" "$mnt/disk" "$1" "$2" "$mnt/.lunfs/lv/disk" || fail "a write was lost"
  unmount "$mnt"
  lv_bytes read "$work/lun$1.img.layout" "$work/lun$1.img" other | cmp - "$work/other" || fail "another LV was touched"
}
neighbours 512 64
neighbours 4096 512
