#!/bin/bash
# lunfs-sr info tells the same of an SR by its URL, by an image, and by a mount, and of the LUN what other tools say. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
sample=$data/xenserver/sr-sample.json
serve "$work/lun.img"
open_lvm "$work/lun.img"
read -r vg_uuid pv_uuid vg_size vg_free extent lvs seqno < <(lvm2 vgs --noheadings --units b --nosuffix \
  -o vg_uuid,pv_uuid,vg_size,vg_free,vg_extent_size,lv_count,vg_seqno)
close_lvm

tool lunfs-sr info "$(lun_url)" --initiator "$initiator" --json
assert_equal "$vg_uuid $pv_uuid $vg_size $vg_free $extent $lvs $seqno" \
  "$(told '.vg | "\(.uuid) \(.pv_uuid) \(.size_bytes) \(.free_bytes) \(.extent_bytes) \(.lvs) \(.seqno)"')" "the VG, as lvm2 tells it"
assert_equal "$(jq -r .sr "$sample") Held & out thick" "$(told '.sr | "\(.uuid) \(.label) \(.allocation)"')" "the SR"
session=$(told '.sessions[0] | "\(.portal) \(.target) \(.lun) \(.initiator) \(.chap) \(.vendor) \(.block_size_bytes) \(.provisioning)"')
assert_equal "127.0.0.1:$tgt_port $iqn 1 $initiator none IET 512 thick" "$session" "the session and the LUN"
assert_equal "$(tgt --op show --mode target | sed -n 's/.*SCSI SN: *//p' | tail -n 1)" "$(told '.sessions[0].serial')" "serial number"
told 'del(.sessions, .read_only_reason, .source)' >"$work/by-url"

# What the LUN can do is its own, as tgtd was told.
assert_equal 'compare_and_write fua write_cache' "$(told '.sessions[0].capabilities | join(" ")')" "capabilities of a thick LUN"
cp --sparse=always "$work/lun.img" "$work/thin.img"
new_lun 1 2 "$work/thin.img" 512 thin
run_tool lunfs-sr info "$(lun_url 2)" --initiator "$initiator"
assert_equal 0 "$tool_status" "status for a thin LUN ($tool_err)"
assert_contains "$tool_out" '^  capabilities +unmap, write_same, write_same_unmap, compare_and_write, lba_status, fua, write_cache$' "capabilities of a thin LUN"
assert_contains "$tool_out" '^  provisioning +thin$' "provisioning of a thin LUN"
assert_contains "$tool_out" '^  vendor +IET$' "vendor"
assert_contains "$tool_out" '^  block +512 B$' "block size"
tool lunfs-sr info "$(lun_url)" --initiator "$initiator" --json

# Whoever has libiscsi's tools can compare page 0x83 as it is.
if command -v iscsi-inq >/dev/null; then
  naa=$(bounded 20 iscsi-inq -i "$initiator" -e 1 -c 0x83 "$(lun_url)" | sed -n 's/^Designator:\[\(6.*\)\].*/\1/p' | head -n 1)
  [[ -z $naa ]] || assert_contains "$(told '.sessions[0].scsi_id')" "^3${naa//[^0-9a-f]/}" "SCSIid"
fi

tool lunfs-sr info "$work/lun.img" --json
assert_equal 0 "$(told '.sessions | length')" "sessions of an image"
told 'del(.sessions, .read_only_reason, .source)' | diff - "$work/by-url" >&2 || fail "an image tells something else"

mount_lunfs "$(lun_url)" "$mnt" -o "initiator=$initiator"
tool lunfs-sr info "$mnt" --json
assert_equal "$mnt $initiator" "$(told '"\(.mount_point) \(.sessions[0].initiator)"')" "mount point and initiator"
told 'with_entries(select(.key | IN("size_bytes", "layout", "sr", "vg", "volumes", "not_shown", "warnings")))' |
  diff - "$work/by-url" >&2 || fail "the mount tells something else"

tool lunfs-sr info "$mnt/"
assert_contains "$tool_out" '^  SCSIid +3[0-9a-f]+$' "SCSIid"
assert_contains "$tool_out" '^  provisioning +thick$' "provisioning"
assert_contains "$tool_out" "^  directory +$mnt\$" "mount point"
assert_contains "$tool_out" '^  read-only +a pool may be using this SR' "why it is read-only"
