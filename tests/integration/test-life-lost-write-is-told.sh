#!/bin/bash
# Buffered writes that a dead target cannot take are told by fsync or close, and lunfs -u does not call it a success.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
exec 7<>"$mnt/disk"
dd if=/dev/urandom bs=64k count=4 status=none >&7
kill -9 "$tgt_pid"
if dd if=/dev/urandom bs=64k count=4 status=none >&7 2>"$work/dd.log" && sync -d "$mnt/disk" 2>>"$work/dd.log"; then
  fail "write and fsync succeed without a target"
fi
assert_contains "$(cat "$work/dd.log")" 'Input/output error' "what is told"
exec 7>&-
status=0
bounded 40 "$LUNFS" -u "$mnt" >"$work/unmount.out" 2>&1 || status=$?
echo "lunfs -u: status $status: $(cat "$work/unmount.out")"
((status != 0)) || fail "lunfs -u says that all is well"
not_mounted "$mnt" || fail "still mounted"
wait_until 20 no_daemon_of "$mnt" || fail "the daemon lives"
