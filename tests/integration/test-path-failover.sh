#!/bin/bash
# One of two paths is cut, and comes back, and the other is cut, under fio with checksums: no error, no wrong byte, and
# I/O flows again within two seconds each time; three times that is allowed. @alone @timeout=500

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

requires fio
[[ -z ${LUNFS_TEST_SESSIONS:-} ]] || skip "several sessions are spread over the paths from the start"
serve_paths
bounded 200 fio --name=a --filename="$mnt/disk" --size=16m --ioengine=libaio --iodepth=16 --bs=4k --rw=randwrite \
  --direct=1 --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --loops=40 --minimal \
  >"$work/fio.log" 2>&1 &
fio=$!
wait_until 10 in_flight "$mnt" || fail "fio does not write"
in_use=0
for round in 1 2 3 4; do
  other=$((1 - in_use))
  wait_until 20 path_is "$other" standby || fail "path $other does not stand by: $(status_of "$mnt" | jq -c .sessions[0].paths)"
  cut_path "$in_use"
  start=$(date +%s%3N)
  read_one || fail "a read fails after the cut"
  took=$(($(date +%s%3N) - start))
  echo "round $round: I/O flows $took ms after the cut"
  assert_less "$took" 6000 "milliseconds until I/O flows"
  assert_equal "$round" "$(failovers)" "failovers"
  path_is "$other" 'in use' || fail "the other path is not in use"
  path_is "$in_use" down || fail "the cut path is not told as down"
  assert_contains "$(cat "$mnt/.lunfs/metrics")" "^lunfs_path_up\\{portal=\"${path_portal[$in_use]}\"\\} 0\$" "metrics"
  assert_contains "$(cat "$mnt/.lunfs/metrics")" "^lunfs_path_failovers_total $round\$" "metrics"
  start_path "$in_use"
  in_use=$other
done
wait_until 20 path_is 0 'in use' || fail "path 0 is not in use at the end"
wait "$fio" || fail "fio finds errors: $(tail -3 "$work/fio.log")"
assert_contains "$(cat "$log")" "portal=${path_portal[0]}: path is down: " "the log"
assert_contains "$(cat "$log")" "portal=${path_portal[0]}: path is back after [0-9.]+ s" "the log"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
