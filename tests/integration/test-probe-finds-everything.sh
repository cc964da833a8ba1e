#!/bin/bash
# One call tells of every target and LUN what is on it, as lvm2 and the sample's description have it, and ends with lines that mount it. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/sr.img"
sample=$data/xenserver/sr-sample.json
simple_vg "$work/plain.img" 4096
for name in empty mbr pv damaged; do truncate -s 64m "$work/$name.img"; done
printf '\x55\xaa' | dd of="$work/mbr.img" bs=1 seek=510 conv=notrunc status=none
open_lvm "$work/pv.img"
lvm2 pvcreate "$lvm_device" >/dev/null
close_lvm
dd if="$work/sr.img" of="$work/damaged.img" bs=1M count=64 conv=notrunc status=none
printf 'XXXX' | dd of="$work/damaged.img" bs=1 seek=$((512 + 24)) conv=notrunc status=none
open_lvm "$work/plain.img" 4096
plain_size=$(lvm2 vgs --noheadings --units b --nosuffix -o vg_size plain | tr -d ' ')
plain_free=$(lvm2 vgs --noheadings --units b --nosuffix -o vg_free plain | tr -d ' ')
close_lvm

start_tgtd
new_target 1 iqn.2026-11.example:pool
new_lun 1 1 "$work/sr.img"
new_lun 1 2 "$work/plain.img" 4096 thin
new_lun 1 300 "$work/empty.img"
new_target 2 iqn.2026-11.example:more
new_lun 2 1 "$work/mbr.img"
new_lun 2 2 "$work/pv.img"
new_lun 2 3 "$work/damaged.img"
new_target 3 iqn.2026-11.example:bare

probe --json
assert_equal "$initiator" "$(told .initiator)" "initiator"
assert_equal 3 "$(told '.targets | length')" "targets"
assert_equal ok "$(told '[.targets[].state] | unique | join(",")')" "state of the targets"
lun_of() { echo ".targets[] | select(.iqn == \"iqn.2026-11.example:$1\") | .luns[] | select(.lun == $2)"; }
while read -r target lun content; do
  assert_equal "$content" "$(told "$(lun_of "$target" "$lun") | .content")" "content of LUN $lun of $target"
done <<'EOF'
pool 1 sr
pool 2 vg
pool 300 empty
more 1 unknown
more 2 pv
more 3 damaged
EOF
sr=$(lun_of pool 1)
assert_equal "$(jq -r .sr "$sample")" "$(told "$sr | .sr.uuid")" "uuid of the SR"
assert_equal 'Held & out' "$(told "$sr | .sr.label")" "label of the SR"
assert_equal "$(jq '.vdis | length' "$sample")" "$(told "$sr | .sr.vdis")" "number of VDIs"
assert_equal "$(size_of "$work/sr.img")" "$(told "$sr | .size_bytes")" "size of the LUN"
assert_equal "$plain_size $plain_free" "$(told "$(lun_of pool 2) | \"\(.vg.size_bytes) \(.vg.free_bytes)\"")" "size and free bytes of the VG"
assert_equal '4096 thin' "$(told "$(lun_of pool 2) | \"\(.block_size_bytes) \(.provisioning)\"")" "block size and provisioning"
assert_equal '512 thick' "$(told "$sr | \"\(.block_size_bytes) \(.provisioning)\"")" "block size and provisioning"
assert_contains "$(told "$(lun_of more 1) | .looks_like")" MBR "what the LUN looks like"

# The same as a table: a line each, and what is wrong with the damaged one below.
command=$(told "$sr | .mount.command")
fstab=$(told "$sr | .mount.fstab")
probe
assert_contains "$tool_out" '^TARGET +LUN +SIZE +CONTENT +LABEL +SR UUID +VDIS +FREE +SCSIID$' "head of the table"
assert_contains "$tool_out" "^iqn.2026-11.example:pool +1 +1.5 GiB +XenServer SR +Held & out +$(jq -r .sr "$sample") +$(jq '.vdis | length' "$sample") " "line of the SR"
assert_contains "$tool_out" '^iqn.2026-11.example:pool +2 +96.0 MiB +VG plain ' "line of the VG"
assert_contains "$tool_out" '^iqn.2026-11.example:pool +300 +64.0 MiB +empty ' "line of the empty LUN"
assert_contains "$tool_out" '^iqn.2026-11.example:bare .*no LUN' "line of the target without LUNs"
assert_contains "$tool_out" "^iqn.2026-11.example:more LUN 3: the PV's label is damaged" "what is wrong"
assert_contains "$tool_out" "^  $command  # Held & out\$" "command"
assert_contains "$tool_out" "^  $fstab\$" "fstab line"

# The lines work: as a command, and for mount(8).
assert_equal "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:pool/1 /mnt/$(jq -r .sr "$sample") fuse.lunfs ro,_netdev,nofail,initiator=$initiator 0 0" "$fstab" "fstab line"
read -r program source place dash options <<<"$command"
assert_equal "lunfs /mnt/$(jq -r .sr "$sample") -o" "$program $place $dash" "words of the command"
mount_lunfs "$source" "$mnt" -o "$options"
assert_equal "$(jq '.vdis | length' "$sample")" "$(ls "$mnt" | wc -l)" "disks in the mount"
