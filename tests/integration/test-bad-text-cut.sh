#!/bin/bash
# A metadata text that ends early, its checksum in order, is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" text-cut "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
tells 'metadata area at 4096: the metadata text is cut short: it ends at byte [0-9]+ inside .*' \
  'something else than LVM wrote there, or the storage lost or damaged a write' \
  "pvck\(8\) of lvm2 shows what is left \(--dump metadata_search\) and repairs \(--repair\); save the LUN's first MiB before"
