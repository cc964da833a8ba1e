#!/bin/bash
# A target that is not there: the text names those that are.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
new_target 2 iqn.2026-11.example:archive
refused 21 "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:nothing/1" "$mnt" -o initiator=iqn.2026-11.example:host7
tells "login to iqn.2026-11.example:nothing at 127.0.0.1:$tgt_port without CHAP was refused: target not found \(0x0203\); targets that can be seen: iqn.2026-11.example:archive, $iqn" \
  'there is no target of that name, or this initiator is not allowed to see it \(many arrays answer the same to both\)' \
  "check the target's name, and allow initiator iqn.2026-11.example:host7 in the array's access list"
