#!/bin/bash
# A target that loses its cache with a loss of power gets what was acknowledged and not flushed again, before anything
# else: fsync tells the truth then, and nothing counts as lost.

. "$(dirname "$0")/functions.sh"

[[ -z ${LUNFS_TEST_SESSIONS:-} ]] || skip "with several sessions there is no journal"
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o sync_on_close=no
random_file "$work/data" $((3 << 20))
dd if="$work/data" of="$mnt/disk" bs=64k count=16 oflag=direct conv=notrunc,fsync status=none
cp "$work/lun.img" "$work/flushed.img"
journal() { status_of "$mnt" | jq ".sessions[0].journal.$1"; }
assert_equal 0 "$(journal bytes)" "bytes in the journal after fsync"
# Some of it twice: the last write counts.
dd if=/dev/zero of="$mnt/disk" bs=64k count=20 seek=10 oflag=direct conv=notrunc status=none
dd if="$work/data" of="$mnt/disk" bs=64k skip=8 seek=8 oflag=direct conv=notrunc status=none
(($(journal bytes) > 2 << 20)) || fail "the journal is empty"

kill -9 "$tgt_pid"
wait "$tgt_pid" 2>/dev/null || true
cp "$work/flushed.img" "$work/lun.img" # what a lost cache leaves
serve_again "$work/lun.img"
wait_until 10 session_is "$mnt" up || fail "the session does not come back"
bounded 30 sync "$mnt/disk" || fail "fsync fails"
bounded 30 cmp -n $((3 << 20)) "$work/data" "$mnt/disk" || fail "a write is lost"
assert_contains "$(cat "$log")" 'wrote [0-9]+ changes \([0-9.]+ MiB\) again' "the log"
assert_lacks "$(cat "$log")" 'may be lost' "the log"
assert_equal 1 "$(journal replays)" "replays in status.json"
assert_contains "$(cat "$mnt/.lunfs/metrics")" '^lunfs_journal_replays_total 1$' "metrics"
assert_contains "$(cat "$mnt/.lunfs/metrics")" '^lunfs_losses_total 0$' "metrics"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
# And it was not the cache that the second target still has in memory.
kill -9 "$tgt_pid"
mount_lunfs "$work/lun.img" "$mnt" -o ro
bounded 30 cmp -n $((3 << 20)) "$work/data" "$mnt/disk" || fail "the image lacks a write"
