#!/bin/bash
# A target that is not there: the text names those that are.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
new_target 2 iqn.2026-11.example:archive
refused 21 "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:nothing/1" "$mnt"
in_three_parts
says 'iqn.2026-11.example:nothing' "$iqn" 'iqn.2026-11.example:archive'
