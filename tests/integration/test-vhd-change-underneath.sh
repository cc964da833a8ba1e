#!/bin/bash
# While a pool takes snapshots of a disk and coalesces them, reuses their extents and writes into the leaf, a read of the disk gives its bytes or EIO, never others. @timeout=240

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

seed=${LUNFS_TEST_SEED:-$RANDOM}
echo "seed $seed"
RANDOM=$seed
rounds=4
size=$((24 << 20)) mib=$((1 << 20))
leaf_uuid=$(new_uuid)
leaf=VHD-$leaf_uuid
base=VHD-$(new_uuid)
new_sr 384m
scatter "$base" 24 "$leaf" 16
new_layout
close_lvm

random_file "$work/model" "$size"
for at in 3 9 17; do dd if=/dev/zero of="$work/model" bs=1M seek=$at count=1 conv=notrunc status=none; done

# put_model LV MIB COUNT: what the disk holds there anyway
put_model() {
  dd if="$work/model" of="$work/piece" bs=1M skip="$2" count="$3" status=none
  vhd "$1" put $(($2 * mib)) "$work/piece"
}
vhd "$base" create "$size" hidden=1 block=1048576 vg="$vg"
for ((at = 0; at < 24; at += 2)); do put_model "$base" "$at" 1; done
vhd "$leaf" create "$size" block=1048576 parent="$base" vg="$vg"
for ((at = 1; at < 24; at += 2)); do ((at == 9)) || put_model "$leaf" "$at" 1; done
vhd "$base" batmap

# What the storage manager does, in its order, with lvm2 on the LUN itself.
snapshot() {
  node=VHD-$(new_uuid)
  add_lv "clone_${leaf_uuid}_1" 4
  new_layout
  printf '37 %s_' "${node#VHD-}" | lv_bytes write "$layout" "$lun" "clone_${leaf_uuid}_1" 0
  lvm2 lvrename "$vg" "$leaf" "$node" >/dev/null
  add_lv "$leaf" 16
  new_layout
  head -c $((16 << 20)) /dev/zero | tr '\0' '\356' | lv_bytes write "$layout" "$lun" "$leaf" 0
  vhd "$leaf" create "$size" block=1048576 parent="$node" vg="$vg"
  vhd "$node" hide 1
  lvm2 lvchange -pr "$vg/$node" >/dev/null
  lvm2 lvremove -f -y "$vg/clone_${leaf_uuid}_1" >/dev/null
  new_layout
}
coalesce() {
  add_lv "coalesce_${node#VHD-}_1" 4
  lvm2 lvextend -L +12m "$vg/$base" >/dev/null
  new_layout
  vhd "$node" coalesce "$base"
  lvm2 lvrename "$vg" "coalesce_${node#VHD-}_1" "relink_${node#VHD-}_1" >/dev/null
  vhd "$leaf" relink "$base" "$vg"
  lvm2 lvremove -f -y "$vg/relink_${node#VHD-}_1" "$vg/$node" >/dev/null
  # Its extents, and those of the journal, become another disk's at once.
  if ((round > 1)); then lvm2 lvremove -f -y "$vg/$other" >/dev/null; fi
  other=LV-$(new_uuid)
  lvm2 lvcreate -an -Zn -Wn -y -n "$other" -l 100%FREE "$vg" >/dev/null
  new_layout
  head -c "$(lv_bytes size "$layout" "$other")" /dev/zero | tr '\0' '\273' |
    lv_bytes write "$layout" "$lun" "$other" 0
  lvm2 lvreduce -f -y -L 4m "$vg/$other" >/dev/null
  new_layout
}
pool() {
  open_lvm "$lun"
  for ((round = 1; round <= rounds; round++)); do
    snapshot
    for _ in 1 2 3; do put_model "$leaf" $((RANDOM % 24)) 1; done
    coalesce
    vhd "$leaf" read "$work/chain"
    assert_same_bytes "$work/chain" "$work/model" "what the pool itself should have kept"
  done
  close_lvm
}

serve "$lun"
mount_lunfs "$(lun_url)" "$mnt"
disk=$mnt/$leaf_uuid.raw
assert_same_bytes "$disk" "$work/model" "at the beginning"
readers=()
for i in 1 2; do
  bounded 200 python3 "$tools/compare_loop.py" "$disk" "$work/model" "$work/stop" $((seed + i)) >"$work/reader$i" 2>&1 &
  readers+=($!)
done
pool
touch "$work/stop"
for i in 1 2; do
  wait "${readers[i - 1]}" || fail "reader $i: $(cat "$work/reader$i")"
  echo "reader $i: $(cat "$work/reader$i")"
  assert_less 50 "$(jq .reads "$work/reader$i")" "reads that succeeded"
done
assert_same_bytes "$disk" "$work/model" "afterwards"
assert_equal "$size" "$(size_of "$disk")" "size afterwards"
unmount "$mnt"
mount_lunfs "$(lun_url)" "$mnt"
assert_same_bytes "$disk" "$work/model" "in another mount"
