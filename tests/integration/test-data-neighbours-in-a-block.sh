#!/bin/bash
# Writers of different sectors of the same 4096-byte blocks, and of whole ones, all at once: none
# puts old bytes back over another's. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img" 4096
serve "$work/lun.img" 4096
mount_lunfs "$(lun_url)" "$mnt" -o cache=none
bounded 100 python3 "$tools/neighbours.py" "$mnt/disk" 4096 || fail "a write was lost"
lv_bytes read "$work/lun.img.layout" "$work/lun.img" other | cmp - "$work/other" || fail "another LV was touched"
