#!/bin/bash
# The kernel's connection is aborted under load: callers get an error at once, the daemon logs out and ends, nothing but
# what was written changes on the LUN. @timeout=180

. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

requires_root
mkdir "$work/connections"
mount -t fusectl none "$work/connections" || skip "needs the fusectl file system"
on_exit umount "$work/connections"
verify_vg "$work/lun.img"
serve "$work/lun.img"
for round in 1 2 3; do
  mount_lunfs "$(lun_url)" "$mnt"
  fio_checks "$mnt/v1" "$mnt/v2" --loops=100 >"$work/fio.log" 2>&1 &
  job=$!
  note_process "$job"
  wait_until 20 has_served "$mnt" 500 write || fail "fio does not get going"
  device=$(mountpoint -d "$mnt")
  start=$SECONDS
  echo 1 >"$work/connections/${device#*:}/abort"
  wait "$job" && fail "fio does not notice"
  wait_until 30 no_daemon_of "$mnt" || fail "the daemon stays"
  assert_less $((SECONDS - start)) 20 "seconds until the daemon has ended"
  wait_until 5 no_session_left || fail "a session is open at the target"
  wait_until 10 not_mounted "$mnt" || fail "a dead mount is left"
  echo "round $round: ended"
done
for i in 1 2; do
  lv_bytes read "$work/layout" "$work/lun.img" "v$i" >"$work/bytes"
  lv_bytes write "$work/layout" "$work/expected.img" "v$i" 0 <"$work/bytes"
done
assert_same_bytes "$work/lun.img" "$work/expected.img" "beside the volumes"
# What was on its way to the LUN is there or not; the mount works again.
mount_lunfs "$(lun_url)" "$mnt"
fio_checks "$mnt/v1" "$mnt/v2" >"$work/fio.log" 2>&1 || fail "fio after the aborts: $(tail -n 3 "$work/fio.log")"
unmount "$mnt"
