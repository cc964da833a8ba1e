#!/bin/bash
# A path that swallows everything is given up after path_timeout; three times that is allowed. @alone

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

serve_paths path_timeout=3
wait_until 10 path_is 1 standby || fail "path 1 does not stand by"
kill -STOP "${path_pid[0]}"
on_exit kill -CONT "${path_pid[0]}"
start=$(date +%s%3N)
bounded 40 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc status=none || fail "a write fails"
took=$(($(date +%s%3N) - start))
echo "I/O flows $took ms after the path has become silent"
assert_less "$took" 9000 "milliseconds until I/O flows"
path_is 1 'in use' || fail "the other path is not in use"
assert_contains "$(cat "$log")" "portal=${path_portal[0]}: path is down: .* does not answer a ping" "the log"
kill -CONT "${path_pid[0]}"
wait_until 20 path_is 0 standby || fail "the path is not seen to be back"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
