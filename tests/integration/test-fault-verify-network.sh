#!/bin/bash
# fio's checksums while the network to the target swallows everything, in a network namespace of its own: for a moment, and
# for so long that the session is given up. I/O flows within five seconds after its return; three times that is allowed.
# @timeout=600

if [[ ${LUNFS_OWN_NAMESPACE:-} != 1 ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --net bash "$0"
fi
. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

requires ip
ip link set lo up
serve_verify_vg
mount_lunfs "$(lun_url)" "$mnt"

# Packets are dropped, no end of a connection is told. TCP's own next try doubles its distance each time.
cut() {
  local back
  ip link set lo down
  sleep "$1"
  # A write that is left to the kernel would come to the target after newer ones.
  [[ -z $(ss -Htan state fin-wait-1 "dport = :$tgt_port") ]] || fail "the kernel goes on sending for a session that was given up"
  ip link set lo up
  back=$(date +%s%3N)
  flows_within 5000 "$back"
  wait_until 20 session_is "$mnt" up || fail "no session $1 s after the cut"
  sleep "$2"
}
verify_under "$work/lun.img" 'cut for a moment' cut 0.3 0.7
assert_equal 0 "$(status_of "$mnt" | jq '.sessions[0].outages')" "sessions lost by a short cut"
verify_loops=8
verify_under "$work/lun.img" 'cut for so long that the session is lost' cut 24 2
(($(status_of "$mnt" | jq '.sessions[0].outages') > 0)) || fail "no session was lost"
assert_contains "$(cat "$log")" 'session is back after' "the log"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
