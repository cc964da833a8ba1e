#!/bin/bash
# With timeout=0 a reader and a writer whose command was sent and is never answered can be killed, while the target
# lives and answers everything else. @timeout=120

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o timeout=0

killed_in_time() { # OP COMMAND...
  local op=$1 pid start
  shift
  rules "[{\"id\": \"$*\", \"op\": \"$op\", \"lba\": [2048, 2175], \"action\": \"mute\", \"count\": 1}]"
  "$@" 2>/dev/null &
  pid=$!
  wait_until 10 in_flight "$mnt" || fail "no $op comes"
  kill -9 $pid
  start=$SECONDS
  # Ten seconds, the clock is looked at once a second; three times that is allowed.
  wait_until 33 process_gone $pid || fail "a killed process hangs in a $op"
  echo "$op: gone after $((SECONDS - start)) s"
  rules '[]'
  wait_until 10 session_is "$mnt" up || fail "the session does not come back"
}
killed_in_time read dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
killed_in_time write dd if=/dev/zero of="$mnt/disk" bs=64k count=1 conv=notrunc oflag=direct
dd if="$work/lun.img.disk" of="$mnt/disk" bs=1M conv=notrunc,fsync oflag=direct status=none || fail "later writes fail"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "the disk"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
