#!/bin/bash
# A metadata text with a wrong checksum is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" text-crc "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
says '^lunfs: ' '^ +what to do: .*(pvck|repair)'
says 'text' 'checksum|CRC'
