#!/bin/bash
# fio's checksums while the target is killed and started again, stopped and continued, and its LUN taken away and put
# back. I/O flows within two seconds after its return; three times that is allowed. @timeout=600

. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

serve_verify_vg
mount_lunfs "$(lun_url)" "$mnt"

killed() {
  kill -9 "$tgt_pid"
  sleep 0.5
  serve_again "$work/lun.img" without_cache
  flows_within 2000 "$(date +%s%3N)"
  sleep 0.5
}
stopped() {
  kill -STOP "$tgt_pid"
  sleep 0.7
  kill -CONT "$tgt_pid"
  flows_within 2000 "$(date +%s%3N)"
  sleep 0.3
}
removed() {
  local back
  # Busy while commands are under way: tgtd then keeps it.
  tgt --op delete --mode logicalunit --tid 1 --lun 1 2>/dev/null || { sleep 0.05; return; }
  sleep 0.5
  new_lun 1 1 "$work/lun.img"
  back=$(date +%s%3N)
  without_cache
  flows_within 2000 "$back" "$longest_pause"
  sleep 0.5
}
verify_under "$work/lun.img" 'killed and started' killed
verify_under "$work/lun.img" 'stopped and continued' stopped
verify_under "$work/lun.img" 'LUN removed and put back' removed
assert_contains "$(cat "$log")" 'has no LUN 1' "the log, of the LUN that was gone"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
