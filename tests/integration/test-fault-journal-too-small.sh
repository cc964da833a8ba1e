#!/bin/bash
# A full journal is flushed; where the target refuses that it is given up, writes go on, and a restart of the target
# is told as a loss.

. "$(dirname "$0")/functions.sh"

[[ -z ${LUNFS_TEST_SESSIONS:-} ]] || skip "with several sessions there is no journal"
simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o sync_on_close=no,journal=1
exec 7<>"$mnt/disk"
write_three() { bounded 60 dd if=/dev/zero of="$mnt/disk" bs=64k count=48 oflag=direct conv=notrunc status=none; }
write_three || fail "writes that are more than the journal"
(($(commands_seen flush) > 1)) || fail "a full journal is not flushed"
assert_equal true "$(status_of "$mnt" | jq '.sessions[0].journal.complete')" "complete"

rules '[{"id": "1", "op": "flush", "action": "sense", "sense": [3, 12, 0]}]'
write_three || fail "writes while flushes are refused"
assert_equal false "$(status_of "$mnt" | jq '.sessions[0].journal.complete')" "complete"
assert_contains "$(cat "$log")" 'the journal of [0-9]+ bytes is given up: it is full and cannot be flushed: .*MEDIUM ERROR' "the log"
rules '[]'
kill -9 "$tgt_pid"
serve_again "$work/lun.img" 7>&- # which would keep the file open
wait_until 10 session_is "$mnt" up || fail "the session does not come back"
assert_fails_with 'Input/output error' sync "$mnt/disk"
exec 7>&- 2>/dev/null || true # tells as well
status=0
said=$(bounded 60 "$LUNFS" -u "$mnt" 2>&1) || status=$?
assert_equal 1 "$status" "exit status of lunfs -u ($said)"
assert_contains "$said" 'acknowledged writes may have been lost' "lunfs -u"
