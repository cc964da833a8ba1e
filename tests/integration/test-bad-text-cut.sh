#!/bin/bash
# A metadata text that ends early, its checksum in order, is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
python3 "$tools/damage.py" text-cut "$work/lun.img"
refused 1 "$work/lun.img" "$mnt"
says '^lunfs: ' '^ +what to do: .*(pvck|repair)'
says 'text|metadata' 'parse|syntax|ends|end of|cut|not closed|brace'
