#!/bin/bash
# A PV label with a wrong checksum is refused, both checksums named.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" label-crc "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
says '^lunfs: ' '^ +what to do: .*(pvck|repair)'
says 'label' 'checksum|CRC'
