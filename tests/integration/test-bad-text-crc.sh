#!/bin/bash
# A metadata text with a wrong checksum is refused, both checksums named.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" text-crc "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
tells "metadata area at 4096: the metadata text's CRC is 0x[0-9a-f]{8}, its [0-9]+ bytes have 0x[0-9a-f]{8}" \
  'something else than LVM wrote there, or the storage lost or damaged a write' \
  "pvck\(8\) of lvm2 shows what is left \(--dump metadata_search\) and repairs \(--repair\); save the LUN's first MiB before"
