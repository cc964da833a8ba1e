#!/bin/bash
# fio's checksums while commands meet each fault that the proxy knows and that is to pass unnoticed: after a cut I/O
# flows within a second, others have passed after twenty; three times that is allowed. @timeout=800

. "$(dirname "$0")/functions.sh"
. "$here/lib/faults.sh"
. "$here/lib/verify_faults.sh"

serve_verify_vg
start_proxy
# again ACTION OP COUNT [MORE]: in the midst of work, when the fault before is over
again() {
  wait_until 20 session_is "$mnt" up || fail "the session does not come back"
  sleep 0.3
  hit "$@"
  sleep 0.1
}
# cut_again ACTION OP: the same, waiting for its effect
cut_again() {
  local before
  before=$(outages_of "$mnt")
  again "$1" "$2" 1 '"skip": 20'
  wait_until 60 outage_after "$before" || fail "no session is lost"
  if (($(outages_of "$mnt") > before)); then flows_within 1000 "$(disturbed_last)" $((times > 0 ? longest_pause : 0)); fi
}
# Mounted anew each time: a session that is lost again and again is restored less and less quickly.
for action in drop_before drop_after reset_before reset_after cut_before cut_after; do
  for op in read write; do
    mount_lunfs "$(proxy_url)" "$mnt"
    verify_under "$work/lun.img" "$action of a $op" cut_again "$action" "$op"
    rules '[]'
    bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
  done
done
mount_lunfs "$(proxy_url)" "$mnt"
verify_pause=20000
for action in busy task_set_full; do verify_under "$work/lun.img" "$action" again "$action" any 5 '"skip": 20'; done
# A LUN that is reset time after time is told as a loss at last.
resets=0
reset_again() {
  if ((resets++ < 4)); then
    again sense any 1 '"skip": 20, "sense": [6, 41, 0]'
  else
    wait_until 120 process_gone "$job" || fail "fio does not end"
  fi
}
verify_under "$work/lun.img" 'sense 6, 41, 0' reset_again
for sense in '6, 63, 14' '6, 42, 9' '11, 71, 0' '2, 4, 1'; do
  verify_under "$work/lun.img" "sense $sense" again sense any 1 "\"skip\": 20, \"sense\": [$sense]"
done
verify_under "$work/lun.img" 'late answers' again delay any 4 '"skip": 20, "seconds": 0.2'
rules '[]'
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
