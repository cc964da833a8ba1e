#!/bin/bash
# A daemon that has no file descriptor left when its session is lost says so, and logs in again by itself when there are
# some. @timeout=120

. "$(dirname "$0")/functions.sh"

requires prlimit
simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
daemon=$(daemons_of "$mnt")
# The highest open one is the limit then: nothing that is open is lost, nothing more can be opened beyond it.
prlimit --pid "$daemon" --nofile=3:4096
rules '[{"id": "cut", "op": "read", "action": "drop_before", "count": 1}]'
bounded 60 cmp "$work/lun.img.disk" "$mnt/disk" >"$work/cmp.log" 2>&1 &
reader=$!
wait_until 10 session_is "$mnt" lost || fail "the session was not lost"
wait_until 10 grep -q 'Too many open files' "$log" || fail "the log does not tell"
bounded 10 ls -l "$mnt" >/dev/null || fail "ls without descriptors"
prlimit --pid "$daemon" --nofile=1024:4096
wait_until 20 session_is "$mnt" up || fail "the session does not come back"
wait "$reader" || fail "the read failed: $(cat "$work/cmp.log")"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
