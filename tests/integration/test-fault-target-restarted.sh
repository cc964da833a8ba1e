#!/bin/bash
# A target without a volatile cache that is killed and started again under load: no caller meets an error, every byte is
# right, and I/O flows within two seconds of its return. @timeout=180

. "$(dirname "$0")/functions.sh"

requires fio
simple_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
mount_lunfs "$(lun_url)" "$mnt"
bounded 120 fio --name=verify --filename="$mnt/disk" --rw=randwrite --bs=4k --iodepth=16 --ioengine=libaio --direct=1 \
  --size=8m --loops=1000 --time_based --runtime=12 --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 \
  --end_fsync=1 --minimal >"$work/fio.log" 2>&1 &
job=$!
wait_until 30 has_served "$mnt" 200 write || fail "fio does not get going"
kill -9 "$tgt_pid"
serve_again "$work/lun.img"
start=$SECONDS
wait_until 10 session_is "$mnt" up || fail "the session does not come back"
assert_less $((SECONDS - start)) 5 "seconds until I/O flows again"
wait "$job" || fail "fio met an error"
assert_equal 1 "$(status_of "$mnt" | jq '[.sessions[].outages] | unique[]')" "outages of each session"
assert_contains "$(cat "$mnt/.lunfs/metrics")" "^lunfs_session_outages_total $sessions_a_mount\$" "metrics"
assert_contains "$(cat "$log")" 'session lost: .*; logging in again' "the line down"
assert_contains "$(cat "$log")" 'session is back after [0-9.]+ s' "the line up"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
