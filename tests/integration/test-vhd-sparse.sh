#!/bin/bash
# du, cp, rsync and qemu-img see of a VHD disk what its chain holds, and copies are as sparse as it is; the attributes tell the chain. @short

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

requires rsync qemu-img getfattr
root=VHD-$(new_uuid)
node=VHD-$(new_uuid)
leaf_uuid=$(new_uuid)
raw_base=LV-$(new_uuid)
over_raw_uuid=$(new_uuid)
new_sr 192m
scatter "$root" 16 "$node" 16 "VHD-$leaf_uuid" 16 "$raw_base" 4 "VHD-$over_raw_uuid" 12
lvm2 lvchange --addtag hidden "$vg/$raw_base" >/dev/null
new_layout
close_lvm
size=$((64 << 20)) mib=$((1 << 20))
random_file "$work/two" $((2 * mib))
random_file "$work/one" "$mib"

# The root holds two blocks, the node a part of a third and one over the root's, the leaf one at the end.
truncate -s "$size" "$work/model"
vhd "$root" create "$size" hidden=1
vhd "$node" create "$size" hidden=1 parent="$root" vg="$vg"
vhd "VHD-$leaf_uuid" create "$size" parent="$node" vg="$vg"
store() { vhd "$1" put "$2" "$3" && write_at "$work/model" "$2" "$3"; }
store "$root" 0 "$work/two"
store "$root" $((20 * mib)) "$work/two"
store "$node" $((20 * mib)) "$work/one"
store "$node" $((40 * mib)) "$work/one"
store "VHD-$leaf_uuid" $((62 * mib)) "$work/two"
vhd "$root" batmap
held=$((7 * mib)) # exactly: 0-2, 20-22, 40-41, 62-64
disk=$mnt/$leaf_uuid.raw

# On a raw base that is smaller than the disk: what the base has counts as held.
random_file "$work/over.model" $((4 * mib))
lv_bytes write "$layout" "$lun" "$raw_base" 0 <"$work/over.model"
truncate -s $((32 * mib)) "$work/over.model"
vhd "VHD-$over_raw_uuid" create $((32 * mib)) parent="$raw_base" vg="$vg"
vhd "VHD-$over_raw_uuid" put $((16 * mib)) "$work/two"
write_at "$work/over.model" $((16 * mib)) "$work/two"

serve "$lun"
mount_lunfs "$(lun_url)" "$mnt"
attribute() { bounded 10 getfattr --only-values -n "user.lunfs.$1" "$disk"; }

assert_same_bytes "$disk" "$work/model" "contents"
assert_same_bytes "$mnt/$over_raw_uuid.raw" "$work/over.model" "contents on a raw base"
stored() { echo $(($(stat -c %b "$1") * 512)); }
# A whole VHD block may count that is held in part.
found=$(stored "$disk")
((found >= held && found <= held + mib)) || fail "st_blocks tell $found bytes, the chain holds $held"
assert_equal "$found" "$(du -B1 "$disk" | cut -f1)" "du"
assert_equal "$size" "$(du -B1 --apparent-size "$disk" | cut -f1)" "du --apparent-size"
found=$(stored "$mnt/$over_raw_uuid.raw")
assert_equal $((6 * mib)) "$found" "st_blocks of the disk on a raw base"

is_sparse() {
  assert_same_bytes "$work/copy" "$work/model" "$1"
  found=$(stored "$work/copy")
  ((found <= held + mib)) || fail "$1: the copy takes $found bytes, the chain holds $held"
  rm "$work/copy"
}
bounded 60 cp --sparse=auto "$disk" "$work/copy"
is_sparse "cp --sparse=auto"
bounded 60 rsync -S "$disk" "$work/copy"
is_sparse "rsync -S"
bounded 60 qemu-img convert -f raw -O raw "$disk" "$work/copy"
is_sparse "qemu-img convert"
bounded 60 qemu-img map --output=json -f raw "$disk" |
  jq -c '[.[] | select(.data) | [.start, .start + .length]]' >"$work/map"
assert_equal "[[0,$((2 * mib))],[$((20 * mib)),$((22 * mib))],[$((40 * mib)),$((41 * mib))],[$((62 * mib)),$((64 * mib))]]" \
  "$(cat "$work/map")" "qemu-img map"

assert_equal vhd "$(attribute kind)" "kind"
assert_equal "$node" "$(attribute parent)" "parent"
assert_equal "VHD-$leaf_uuid $node $root" "$(attribute chain)" "chain"
assert_equal "$(stored "$disk")" "$(attribute allocated)" "allocated"
