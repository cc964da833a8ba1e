#!/bin/bash
# An answer that comes late is waited for; other requests go on meanwhile.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
rules '[{"id": "late", "op": "read", "count": 1, "action": "delay", "seconds": 4}]'
bounded 30 dd if="$mnt/disk" of="$work/late" bs=64k count=1 iflag=direct status=none &
late=$!
is_held() { (($(disturbed) == 1)); }
wait_until 10 is_held || fail "no read comes"
start=$SECONDS
bounded 30 dd if="$mnt/other" of="$work/quick" bs=64k count=1 iflag=direct status=none
assert_less $((SECONDS - start)) 3 "seconds of a read beside the late one"
wait $late || fail "the late read failed"
assert_same_bytes "$work/late" <(head -c 64k "$work/lun.img.disk") "the late read"
assert_same_bytes "$work/quick" <(head -c 64k "$work/other") "the quick read"
