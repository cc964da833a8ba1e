#!/bin/bash
# The path in use to the Linux kernel's target is cut under load, by the target or by a network that swallows everything.
# The other is in another portal group: LOGICAL UNIT RESET ends what the lost path left; no caller meets an error, no byte
# is wrong. @alone @timeout=800

. "$(dirname "$0")/own_network.sh"
. "$(dirname "$0")/../functions.sh"
. "$here/lib/models.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"
. "$here/vm/lio_paths.sh"

seed=${LUNFS_TEST_SEED:-$RANDOM$RANDOM}
echo "seed $seed"
model_vg "$work/lun.img"
lio_lives=800
# A small window, so that hardly a write comes in one piece and the cut finds one that came in part.
start_lio_paths "$work/lun.img" 'echo 4096 4096 8192 >/proc/sys/net/ipv4/tcp_rmem'
# Longer than lunfs waits for the answer to a reset.
mount_lio_paths path_timeout=6
[[ $(in_guest "sessions 1") == *"$initiator"* ]] || fail "the guest does not know of the session"
start_model_io 760 "$seed"

# A write that came in part keeps LIO from answering a reset or a login until it has given the connection up itself: 15 s
# without an answer to its ping, 30 s more; and lunfs tries again.
lio_gives_up=120
# Three times what is named, and as much again for a guest that is emulated.
cut_s=12

# one_would_do: sets used and other, the path that is in use and one that would do at once. Which is which nobody can know
# beforehand: LIO ends paths by itself, too.
one_would_do() {
  used=$(status_of "$mnt" | jq '.sessions[0].paths | map(.state) | index("in use") // empty | . + 1')
  [[ -n $used ]] || return 1
  other=$((3 - used))
  path_is "$other" standby
}
paths_told() { status_of "$mnt" | jq -c .sessions[0].paths; }
# settled: how often the log tells that a reset over the other path has ended what was unanswered
settled() { grep -c "${path_portal[other]}: LOGICAL UNIT RESET has ended what the lost path left" "$log" || true; }
settled_after() { (($(settled) > $1)); }
reset_after() { (($(in_guest resets) > $1)); }

# cuts HOW BACK SECONDS: I/O goes on by the other path within so many seconds after HOW for the path in use
cuts() {
  local used other resets said start
  model_io_goes_on
  resets=$(in_guest resets)
  wait_until $lio_gives_up one_would_do || fail "before '$1': no path but the one in use would do: $(paths_told)"
  said=$(settled)
  start=$(date +%s%3N)
  "$1" "$used"
  wait_until "$3" path_is "$other" 'in use' || fail "after '$1' of path $used: $(paths_told)"
  echo "$1: path $used, path $other in use $(($(date +%s%3N) - start)) ms later"
  wait_until 20 settled_after "$said" || fail "the log does not tell of a reset over path $other after '$1'"
  wait_until 20 reset_after "$resets" || fail "the LUN has not seen a reset after '$1'"
  model_io_goes_on
  "$2" "$used"
}
cuts disable enable $cut_s
cuts silence unsilence $lio_gives_up
cuts silence unsilence $lio_gives_up
cuts disable enable $cut_s
stop_model_io
cat "$work/soak_io.out"
assert_contains "$(cat "$work/soak_io.out")" ' 0 errors' "what the callers met"
models_hold "$work/lun.img"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
models_hold "$work/lun.img"
