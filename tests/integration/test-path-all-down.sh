#!/bin/bash
# timeout counts while no path works: EIO then, with each path's reason in the status, and everything works again by
# itself once one of them is back. @alone

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

serve_paths timeout=4
wait_until 10 path_is 1 standby || fail "path 1 does not stand by"
cut_path 1
cut_path 0
start=$SECONDS
assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
assert_less $((SECONDS - start)) 18 "seconds until EIO"
session_is "$mnt" lost || fail "the session is not told as lost"
for path in 0 1; do path_is $path down || fail "path $path is not told as down"; done
assert_contains "$(cat "$mnt/.lunfs/metrics")" '^lunfs_session_up 0$' "metrics"
start_path 1
wait_until 20 session_is "$mnt" up || fail "no session although a path is back"
read_one || fail "a read fails although a path is back"
path_is 1 'in use' || fail "the path that is back is not in use"
start_path 0
wait_until 20 path_is 0 standby || fail "the other path is not seen to be back"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
