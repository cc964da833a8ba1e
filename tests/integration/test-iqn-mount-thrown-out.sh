#!/bin/bash
# A mount whose sessions are ended right after each login says that another initiator uses its name, what to
# do, and works again by itself when that is over.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o timeout=20
rules '[{"id": "thrown out", "op": "write", "action": "drop_before", "count": 6}]'
bounded 60 dd if=/dev/zero of="$mnt/disk" bs=64k count=1 conv=notrunc oflag=direct status=none || fail "the write fails"
assert_contains "$(cat "$log")" "sessions in a row ended within 10 s of their login: another initiator uses this name \($initiator\)" "the log"
assert_contains "$(cat "$log")" 'lunfs-iqn verify tells; give each host a name of its own \(lunfs-iqn generate\)' "what to do"
session_is "$mnt" up || fail "the session is not back"
end_after_loss "$mnt"
