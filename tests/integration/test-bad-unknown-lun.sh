#!/bin/bash
# A LUN that is not there: the text names those that are.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
new_lun 1 7 "$work/lun.img"
refused 21 "$(lun_url 5)" "$mnt"
in_three_parts
says 'LUN 5' '\b1\b.*\b7\b'
assert_equal 0 "$(sessions_of 1)" "sessions left at the target"
