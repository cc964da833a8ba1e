#!/bin/bash
# fio's checksums while the target swallows commands, executed or not: each goes out again in time, which is
# half of timeout and two seconds; three times that is allowed. @timeout=600

. "$(dirname "$0")/functions.sh"
. "$here/lib/faults.sh"
. "$here/lib/verify_faults.sh"

serve_verify_vg
start_proxy
# swallowed ACTION OP: in the midst of work, and until what waited for it is through: a command that is under way when two
# sessions in a row are given up has waited for timeout
swallowed() {
  local before
  before=$(outages_of "$mnt")
  hit "$1" "$2" 1 '"skip": 20'
  wait_until 20 outage_after "$before" || fail "no session is given up"
  wait_until 20 session_is "$mnt" up || fail "the session does not come back"
  before=$(commands_of_session)
  wait_until 20 moved_on "$before" || fail "nothing moves over the new session"
}
commands_of_session() { status_of "$mnt" | jq '.sessions[0].commands'; }
moved_on() { (($(commands_of_session) > $1 + 100)) || process_gone "$job"; }
# One takes longer than the work on a quick machine.
verify_loops=6 verify_faults=1
# Of timeout=8.
verify_pause=6000
# Mounted anew each time: a session that is lost again and again is restored less and less quickly.
for action in mute mute_after; do
  for op in read write; do
    mount_lunfs "$(proxy_url)" "$mnt" -o timeout=8
    verify_under "$work/lun.img" "$action of a $op" swallowed "$action" "$op"
    (($(outages_of "$mnt") > 0)) || fail "$action of a $op: no session was given up"
    rules '[]'
    bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
  done
done
