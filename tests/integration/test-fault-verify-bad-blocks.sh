#!/bin/bash
# Blocks that the storage refuses to read or write fail with the error that the sense code stands for, each of
# them within a second, three times that is allowed; fio finds all its checksums beside them meanwhile. @timeout=600

. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

serve_verify_vg
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"

# The bad blocks: the first two MiB of a volume that lies between the extents of those that fio checks.
bad_blocks=512
dd if="$mnt/between1" bs=4k count=1 iflag=direct of=/dev/null status=none
lba=$(jq -s 'map(select(.event == "command" and .class == "read" and .blocks == 8)) | last | .lba' "$work/trace.json")

at_once=1000 slowest_failure=0
# calls_end read|write COUNT HOW: all of so many blocks of the range
calls_end() {
  local said slowest
  said=$(bounded 60 python3 "$tools/block_calls.py" "$1" "$mnt/between1" "$2")
  assert_equal "{\"$3\":$2}" "$(jq -c .ended <<<"$said")" "how ${1}s end"
  slowest=$(jq .slowest_ms <<<"$said")
  slowest_failure=$((slowest > slowest_failure ? slowest : slowest_failure))
  assert_less "$slowest" $((3 * at_once)) "milliseconds of the slowest $1 that fails"
}
# sense_in_range OP SENSE
sense_in_range() {
  rules "[{\"id\": \"$1 $2\", \"op\": \"$1\", \"lba\": [$lba, $((lba + 8 * bad_blocks - 1))], \"action\": \"sense\", \"sense\": [$2]}]"
}

for case in 'read:3, 17, 0' 'write:3, 12, 0' 'write:4, 68, 0'; do
  sense_in_range "${case%:*}" "${case#*:}"
  verify_under "$work/lun.img" "sense ${case#*:} for some blocks" calls_end "${case%:*}" "$bad_blocks" EIO
done
# A thin LUN without space refuses what it has to allocate, and no more.
sense_in_range write '7, 39, 7'
verify_under "$work/lun.img" 'no space for some blocks' calls_end write 1 ENOSPC
echo "the slowest call that failed: $slowest_failure ms"
assert_contains "$(cat "$log")" "reading 4096 bytes at $((lba * 512))" "the log, of the first bad block"
rules '[]'
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
