#!/bin/bash
# A PV label with a wrong checksum is refused, both checksums named.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" label-crc "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
tells "the PV's label is damaged: label in sector 1: its CRC is 0x[0-9a-f]{8}, its bytes have 0x[0-9a-f]{8}" \
  "something else than LVM wrote over the LUN's first sectors, or the storage damaged them" \
  "pvck --repairtype label_header \(lvm2\) rewrites a label; save the LUN's first MiB before"
