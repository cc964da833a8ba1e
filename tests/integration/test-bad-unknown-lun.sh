#!/bin/bash
# A LUN that is not there: the text names those that are.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
new_lun 1 7 "$work/lun.img"
refused 21 "$(lun_url 5)" "$mnt" -o initiator=iqn.2026-11.example:host7
tells "LUN 5 of $iqn: the target has no LUN 5; LUNs that can be seen: 0, 1, 7" \
  'the number at the end of the URL is another one, or the LUN is not mapped to this initiator' \
  'name one of the LUNs that can be seen, or map the LUN to initiator iqn.2026-11.example:host7 on the array'
assert_equal 0 "$(sessions_of 1)" "sessions left at the target"
