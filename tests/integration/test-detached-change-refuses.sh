#!/bin/bash
# A VG that changes between the two looks is in use: writing is refused, nothing is written, reading goes on.

. "$(dirname "$0")/functions.sh"

simple_sr "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o detached
status=0
bounded 60 dd if=/dev/zero of="$mnt/$disk_uuid.raw" bs=1M count=1 conv=notrunc >"$work/dd.log" 2>&1 &
writer=$!
wait_until 4 in_flight "$mnt" || fail "the first write does not wait for the second look"
open_lvm "$work/lun.img"
new_lv "$vg" "LV-$(new_uuid)" 1
close_lvm
wait "$writer" || status=$?
((status != 0)) || fail "the write went through although the VG changed"
assert_contains "$(cat "$work/dd.log")" 'Read-only|busy' "what dd says"
assert_contains "$(cat "$log")" 'chang' "log"
assert_equal 0 "$(commands_seen write)" "write commands"
bounded 30 cat "$mnt/$disk_uuid.raw" | cmp - "$work/lun.img.disk" || fail "reading stopped"
assert_fails_with 'Read-only|busy' dd if=/dev/zero of="$mnt/$other_uuid.raw" count=1 conv=notrunc
