#!/bin/bash
# A path to the Linux kernel's target is cut under load, by the target or by a network that swallows everything. The other
# is in another portal group: LOGICAL UNIT RESET ends what the lost path left; no caller meets an error, no byte is wrong.
# @alone @timeout=420

. "$(dirname "$0")/../functions.sh"
. "$here/lib/models.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"
. "$here/vm/lio_paths.sh"

seed=${LUNFS_TEST_SEED:-$RANDOM$RANDOM}
echo "seed $seed"
model_vg "$work/lun.img"
lio_lives=420
start_lio_paths "$work/lun.img"
mount_lio_paths path_timeout=3
path_is 1 'in use' || fail "path 1 is not in use"
start_model_io 380 "$seed"

# cuts FROM TO SECONDS CUT UNDO: I/O goes on by path TO within so many seconds after CUT of path FROM
cuts() {
  local start before said
  model_io_goes_on
  before=$(in_guest resets)
  said=$(settled "$2")
  start=$(date +%s%3N)
  in_guest "$4"
  wait_until "$3" path_is "$2" 'in use' || fail "after '$4': $(status_of "$mnt" | jq -c .sessions[0].paths)"
  echo "$4: path $2 in use $(($(date +%s%3N) - start)) ms later"
  model_io_goes_on
  assert_less "$before" "$(in_guest resets)" "resets that the LUN has seen, before and after '$4'"
  assert_less "$said" "$(settled "$2")" "resets over path $2 in the log, before and after '$4'"
  in_guest "$5"
}
settled() {
  grep -c "portal=127.0.0.1:${path_port[$1]}: LOGICAL UNIT RESET has ended what the lost path left unanswered" "$log" || true
}
# A write that came in part keeps LIO from answering a reset or a login until it has given the connection up itself: 15 s
# without an answer to its ping, 30 s more; and lunfs tries again.
lio_gives_up=90
cuts 1 2 6 'disable 1' 'enable 1'
cuts 2 1 $lio_gives_up 'link 2 down' 'link 2 up'
cuts 1 2 $lio_gives_up 'link 1 down' 'link 1 up'
cuts 2 1 6 'disable 2' 'enable 2'
stop_model_io
cat "$work/soak_io.out"
assert_contains "$(cat "$work/soak_io.out")" ' 0 errors' "what the callers met"
models_hold "$work/lun.img"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
models_hold "$work/lun.img"
