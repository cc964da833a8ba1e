#!/bin/bash
# A target that is away, or stopped, for longer than timeout: EIO in time, at once for later I/O, names and sizes never
# wait, and everything works again by itself once it is back. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
mount_lunfs "$(lun_url)" "$mnt" -o timeout=4
read_one() { bounded 30 dd if="$mnt/disk" of="$work/read" bs=64k count=1 iflag=direct status=none; }
fails_for_a_while() {
  local start=$SECONDS
  assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
  assert_less $((SECONDS - start)) 12 "seconds until EIO ($1)"
  bounded 2 ls -la "$mnt" >/dev/null || fail "ls waits ($1)"
  bounded 2 stat "$mnt/other" >/dev/null || fail "stat waits ($1)"
  bounded 2 df "$mnt" >/dev/null || fail "df waits ($1)"
  a_session_is "$mnt" lost || fail "status.json does not tell ($1)"
  assert_contains "$(cat "$mnt/.lunfs/metrics")" '^lunfs_session_up 0$' "metrics ($1)"
}
comes_back() {
  wait_until 25 session_is "$mnt" up || fail "no I/O after the outage ($1)"
  read_one || fail "a read fails after the outage ($1)"
  assert_same_bytes "$work/read" <(head -c 64k "$work/lun.img.disk") "the read ($1)"
}

kill -9 "$tgt_pid"
fails_for_a_while killed
sleep 4
start=$SECONDS
assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
assert_less $((SECONDS - start)) 2 "seconds until EIO when timeout is over"
serve_again "$work/lun.img"
comes_back killed

kill -STOP "$tgt_pid"
on_exit kill -CONT "$tgt_pid"
fails_for_a_while stopped
kill -CONT "$tgt_pid"
comes_back stopped
unmount "$mnt"
