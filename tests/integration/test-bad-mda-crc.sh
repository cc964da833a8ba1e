#!/bin/bash
# A metadata area header with a wrong checksum is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" mda-crc "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
says '^lunfs: ' '^ +what to do: .*(pvck|repair)'
says 'metadata area|mda' 'checksum|CRC'
