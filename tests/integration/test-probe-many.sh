#!/bin/bash
# Twelve targets with sixty LUNs in all are found together, within seconds. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
start_tgtd
for ((t = 1; t <= 12; t++)); do
  new_target "$t" "iqn.2026-11.example:t$t"
  for ((l = 1; l <= 5; l++)); do
    # The same image for all: they are only read.
    new_lun "$t" "$l" "$work/lun.img"
  done
done
start=$SECONDS
probe --json
assert_less $((SECONDS - start)) 20 "seconds"
assert_equal '12 60' "$(told '"\(.targets | length) \([.targets[].luns[] | select(.content == "vg")] | length)"')" "targets and VGs"
for ((t = 1; t <= 12; t++)); do
  wait_until 10 test "$(sessions_of "$t")" == 0 || fail "a session with target $t is left"
done
