#!/bin/bash
# Four sessions: an fsync flushes each session that wrote, and tells that one of them could not.

. "$(dirname "$0")/functions.sh"

requires fio
simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o cache=none,sessions=4

# One open file, 32 writes in flight, one sync at its end.
write_and_sync() {
  bounded 60 fio --name=w --filename="$mnt/disk" --ioengine=libaio --direct=1 --iodepth=32 --bs=4k --rw=randwrite \
    --size=16m --allow_file_create=0 --end_fsync=1 --minimal >"$work/fio.log" 2>&1
}
# sessions_with WORDS: how many sessions there are of which the words are true, with $writes and $flushes
sessions_with() {
  jq -s '[.[] | select(.event == "command")] | group_by(.connection) | map(
    {writes: [.[] | select(.class == "write") | .time], flushes: [.[] | select(.class == "flush") | .time]} |
    select('"$1"')) | length' "$work/trace.json"
}

write_and_sync || fail "fio fails: $(cat "$work/fio.log")"
wrote=$(sessions_with '.writes | length > 0')
((wrote > 1)) || fail "only $wrote session wrote"
assert_equal 0 "$(sessions_with '(.writes | length) > 0 and (.flushes | length) == 0')" "sessions that wrote and were not flushed"
assert_equal 0 "$(sessions_with '(.writes | length) > 0 and (.writes | max) > (.flushes | max)')" "sessions that were flushed too early"

# Every flush but the first one is refused: whichever session the others are.
rules '[{"id": "1", "op": "flush", "skip": 1, "action": "sense", "sense": [3, 12, 0]}]'
if write_and_sync; then fail "fsync succeeds although a session's flush was refused"; fi
rules '[]'
write_and_sync || fail "fsync fails after the fault: $(cat "$work/fio.log")"

: >"$work/trace.json"
write_and_sync || fail "fio fails: $(cat "$work/fio.log")"
unmount "$mnt"
assert_equal 4 "$(jq -s '[.[] | select(.event == "logout")] | length' "$work/trace.json")" "logouts"
