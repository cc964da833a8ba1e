#!/bin/bash
# A damaged VHD costs the disks that are read from it, with a reason in status.json; every other disk of the SR stays. @short

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

size=$((8 << 20))
random_file "$work/content" $((5 << 20))
cp "$work/content" "$work/model"
truncate -s "$size" "$work/model"

# name of a VHD -> what status.json must say of it
declare -A lv_of reason_of
damages=(
  'cookies|no VHD|cookie' 'footer-checksums|checksum' 'header-cookie|cookie|cxspars'
  'header-checksum|checksum' 'block-in-metadata|blocks are between' 'block-beyond-end|blocks are between'
  'blocks-overlap|overlap|share|same bytes' 'encrypted|encrypted' 'poison|resize|poison' 'bat-too-short|table|BAT|entries'
)
others=(
  'wrong-parent-uuid|uuid' 'missing-parent|not in this VG' 'circle-one|circle' 'circle-two|circle'
  'child-of-damaged|checksum' 'parent-is-itself|circle' 'snapshot-journal|journal' 'coalesce-journal|journal'
  'lv-of-zeros|no VHD'
)
new_sr 512m
plan() { # NAME|PATTERN...
  reason_of[${1%%|*}]=${1#*|}
  lv_of[${1%%|*}]=VHD-$(new_uuid)
}
for line in "${damages[@]}" "${others[@]}"; do plan "$line"; done
for name in good good-leaf in-use end-footer-lost; do lv_of[$name]=VHD-$(new_uuid); done
for name in "${!lv_of[@]}"; do add_lv "${lv_of[$name]}" 8; done
# Journals are LVs; what an operation is about stands in the name.
uuid_of() { echo "${lv_of[$1]#VHD-}"; }
add_lv "clone_$(uuid_of snapshot-journal)_1" 4
add_lv "leaf_$(uuid_of coalesce-journal)_1" 4
new_layout
close_lvm
printf '37 %s_' "$(new_uuid)" | lv_bytes write "$layout" "$lun" "clone_$(uuid_of snapshot-journal)_1" 0
printf '36 %s' "$(new_uuid)" | lv_bytes write "$layout" "$lun" "leaf_$(uuid_of coalesce-journal)_1" 0

fill() { vhd "${lv_of[$1]}" create "$size" block=524288 vg="$vg" "${@:2}" && vhd "${lv_of[$1]}" put 0 "$work/content"; }
for line in "${damages[@]}"; do
  fill "${line%%|*}"
  vhd "${lv_of[${line%%|*}]}" damage "${line%%|*}"
done
fill good hidden=1
fill good-leaf parent="${lv_of[good]}"
fill in-use
vhd "${lv_of[in-use]}" damage in-use
fill end-footer-lost
vhd "${lv_of[end-footer-lost]}" damage end-footer-lost
fill wrong-parent-uuid parent="${lv_of[good]}" parent_uuid="$(new_uuid)"
fill missing-parent parent="VHD-$(new_uuid)" parent_uuid="$(new_uuid)"
fill circle-two
fill circle-one parent="${lv_of[circle-two]}"
fill circle-two parent="${lv_of[circle-one]}"
vhd "${lv_of[circle-one]}" relink "${lv_of[circle-two]}" "$vg"
fill child-of-damaged parent="${lv_of[header-checksum]}"
fill parent-is-itself uuid="$(new_uuid)"
same=$(new_uuid)
fill parent-is-itself uuid="$same" parent="${lv_of[parent-is-itself]}" parent_uuid="$same"
fill snapshot-journal
fill coalesce-journal

mount_lunfs "$lun" "$mnt"
for name in "${!reason_of[@]}"; do
  [[ ! -e $mnt/$(uuid_of "$name").raw ]] || fail "$name: the disk is shown"
  reason=$(not_shown "${lv_of[$name]}")
  assert_contains "${reason:-nothing}" "${reason_of[$name]}" "$name"
done
for name in good-leaf in-use end-footer-lost; do
  [[ -e $mnt/$(uuid_of "$name").raw ]] || fail "$name is not shown: $(not_shown "${lv_of[$name]}")"
  assert_same_bytes "$mnt/$(uuid_of "$name").raw" "$work/model" "$name"
done
assert_equal 3 "$(ls -A "$mnt" | wc -l)" "disks in the listing"
