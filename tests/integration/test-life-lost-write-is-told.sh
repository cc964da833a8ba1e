#!/bin/bash
# A write that a dead target cannot take fails when timeout is over; one that it took but was never asked to
# make durable is told by fsync and by lunfs -u, which must not call the end a success.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o sync_on_close=no,timeout=3
exec 7<>"$mnt/disk"
dd if=/dev/urandom bs=64k count=4 status=none >&7
kill -9 "$tgt_pid"
assert_fails_with 'Input/output error' dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 conv=notrunc status=none
assert_fails_with 'Input/output error' sync "$mnt/disk"
exec 7>&-
status=0
said=$(bounded 40 "$LUNFS" -u "$mnt" 2>&1) || status=$?
((status != 0)) || fail "lunfs -u says that all is well ($said)"
assert_contains "$said" 'not everything written is known to be durable \([0-9]+ bytes of disk\): ' "lunfs -u"
not_mounted "$mnt" || fail "still mounted"
wait_until 20 no_daemon_of "$mnt" || fail "the daemon lives"
