#!/bin/bash
# The Linux kernel's target changes the access states of its ports under load: the session moves to the better one within
# two seconds, three times that is allowed; no caller meets an error, no byte is wrong. @alone @timeout=240

. "$(dirname "$0")/own_network.sh"
. "$(dirname "$0")/../functions.sh"
. "$here/lib/models.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"
. "$here/vm/lio_paths.sh"

seed=${LUNFS_TEST_SEED:-$RANDOM$RANDOM}
echo "seed $seed"
model_vg "$work/lun.img"
start_lio_paths "$work/lun.img"
in_guest 'access 2 standby'
mount_lio_paths
path_is 1 'in use' || fail "path 1 is not in use"
start_model_io 200 "$seed"

# moves FROM TO ORDER: the session does so after ORDER, and FROM gets nothing more
moves() {
  local start idle
  model_io_goes_on
  start=$(date +%s%3N)
  in_guest "$3"
  wait_until 6 path_is "$2" 'in use' || fail "after '$3': $(status_of "$mnt" | jq -c .sessions[0].paths)"
  echo "$3: moved $(($(date +%s%3N) - start)) ms later"
  model_io_goes_on
  idle=$(in_guest "port $1 in_cmds")
  model_io_goes_on
  assert_equal "$idle" "$(in_guest "port $1 in_cmds")" "commands at the port that was left"
}
moves 1 2 'access 2 active/optimized; access 1 standby'
moves 2 1 'access 2 standby; access 1 active/optimized'
moves 1 2 'access 2 active/optimized; access 1 active/non-optimized'
moves 2 1 'access 2 unavailable; access 1 active/optimized'
stop_model_io
cat "$work/soak_io.out"
assert_contains "$(cat "$work/soak_io.out")" ' 0 errors' "what the callers met"
models_hold "$work/lun.img"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
models_hold "$work/lun.img"
