#!/bin/bash
# During an outage lunfs -u and SIGTERM end the mount in time, timeout=0 or not; a read that waits can be killed.
# @timeout=240

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"

mount_lunfs "$(lun_url)" "$mnt" -o timeout=0
kill -9 "$tgt_pid"
wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed"
dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &
reader=$!
wait_until 10 in_flight "$mnt" || fail "no read comes"
kill -9 $reader
wait_until 5 process_gone $reader || fail "a killed reader hangs"
start=$SECONDS
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss where nothing was written"
assert_less $((SECONDS - start)) 15 "seconds of lunfs -u"
no_daemon_of "$mnt" || fail "the daemon lives"

serve_again "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o timeout=0
kill -9 "$tgt_pid"
wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed"
start=$SECONDS
kill -TERM "$(daemons_of "$mnt")"
wait_until 60 no_daemon_of "$mnt" || fail "SIGTERM does not end the daemon"
assert_less $((SECONDS - start)) 15 "seconds after SIGTERM"
not_mounted "$mnt" || fail "still mounted"
