#!/bin/bash
# Disks that cannot be read stand in lunfs-vdi list with the reason, and the rest beside them. @short

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

good=$(new_uuid)
bad=$(new_uuid)
busy=$(new_uuid)
new_sr 128m
for uuid in "$good" "$bad" "$busy"; do add_lv "VHD-$uuid" 8; done
add_lv "clone_${busy}_1" 4
new_layout
close_lvm
random_file "$work/content" $((1 << 20))
for uuid in "$good" "$bad" "$busy"; do
  vhd "VHD-$uuid" create $((8 << 20)) block=524288 vg="$vg"
  vhd "VHD-$uuid" put 0 "$work/content"
done
vhd "VHD-$bad" damage header-checksum

tool lunfs-vdi list "$lun" --json
state() { told ".vdis[] | select(.uuid == \"$1\") | \"\(.state) \(.reason)\""; }
assert_contains "$(state "$good")" '^read-only a VHD' "the good one"
assert_contains "$(state "$bad")" '^broken .*checksum' "the damaged one"
assert_contains "$(state "$busy")" '^hidden being changed: journal' "the one in the middle of a change"
assert_equal 3 "$(told '.vdis | length')" "disks"
tool lunfs-sr info "$lun"
assert_contains "$tool_out" '^Warnings$' "warnings"
assert_contains "$tool_out" '^  there is no MGT volume: the names and flags of VDIs are not known$' "the warning of MGT"
