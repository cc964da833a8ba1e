#!/bin/bash
# After close a write is on the LUN: another reader of it sees the bytes at once, without fsync.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
random_file "$work/new" $((8 << 20))
dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc status=none
lv_bytes read "$work/lun.img.layout" "$work/lun.img" disk 0 $((8 << 20)) | cmp - "$work/new" || fail "not on the LUN after close"
[[ $(commands_seen flush) -gt 0 ]] || fail "close sent no SYNCHRONIZE CACHE"

unmount "$mnt"
: >"$work/trace.json"
mount_lunfs "$(proxy_url)" "$mnt" -o sync_on_close=no
dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc status=none
assert_equal 0 "$(commands_seen flush)" "SYNCHRONIZE CACHE with sync_on_close=no"
bounded 20 sync "$mnt/disk"
[[ $(commands_seen flush) -gt 0 ]] || fail "fsync sent no SYNCHRONIZE CACHE"
