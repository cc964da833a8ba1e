#!/bin/bash
# Three VHDs made by a host's tools, in LVs of their names: the child shows its own sector over its parent's, the one on a raw base shows that.

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

parent=11111111-aaaa-4aaa-8aaa-111111111111
child=22222222-bbbb-4bbb-8bbb-222222222222
raw_child=33333333-cccc-4ccc-8ccc-333333333333
raw_base=44444444-dddd-4ddd-8ddd-444444444444
make_sr "$lun" 128m 7f3c2a10-5b1e-4d6a-9c1f-0123456789ab
scatter "VHD-$parent" 16 "VHD-$child" 8 "VHD-$raw_child" 8 "LV-$raw_base" 12
lvm2 lvchange --addtag hidden "$vg/LV-$raw_base" >/dev/null
new_layout
close_lvm
xz -dc "$data/xenserver/vhd-sample-parent.img.xz" | lv_bytes write "$layout" "$lun" "VHD-$parent" 0
xz -dc "$data/xenserver/vhd-sample-child.img.xz" | lv_bytes write "$layout" "$lun" "VHD-$child" 0
xz -dc "$data/xenserver/vhd-sample-rawchild.img.xz" | lv_bytes write "$layout" "$lun" "VHD-$raw_child" 0
random_file "$work/base" $((12 << 20))
lv_bytes write "$layout" "$lun" "LV-$raw_base" 0 <"$work/base"

# What the page of the samples says is in them.
letters() { head -c $(($2 * 512)) /dev/zero | tr '\0' "$1"; }
truncate -s 1g "$work/model"
write_at "$work/model" $((5 * 512)) <(letters X 1)
write_at "$work/model" $((6 * 512)) <(letters C 1)
write_at "$work/model" $((7 * 512)) <(letters X 1)
write_at "$work/model" $((4096 * 512)) <(letters F 4096)
write_at "$work/model" $((8192 * 512)) <(letters Y 1)

mount_lunfs "$lun" "$mnt"
assert_equal "$child.raw $raw_child.raw" "$(ls -A "$mnt" | xargs)" "listing"
assert_same_bytes "$mnt/$child.raw" "$work/model" "the child"
size=$(size_of "$mnt/$raw_child.raw")
cp "$work/base" "$work/raw.model"
truncate -s "$size" "$work/raw.model"
assert_same_bytes "$mnt/$raw_child.raw" "$work/raw.model" "the child of the raw base"
