#!/bin/bash
# Blocks that the storage refuses to read or write fail with the error that the sense code stands for, each of
# them; fio finds all its checksums beside them meanwhile. @timeout=300

. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

verify_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"

# The bad blocks: the first two MiB of a volume that lies between the extents of those that fio checks.
bad_blocks=512
dd if="$mnt/between1" bs=4k count=1 iflag=direct of=/dev/null status=none
lba=$(jq -s 'map(select(.event == "command" and .class == "read" and .blocks == 8)) | last | .lba' "$work/trace.json")

# each_block_fails read|write: by EIO, all 4 KiB blocks of the range, 32 at a time
each_block_fails() {
  local op=$1
  rm -f "$work/bad.json"
  bounded 60 fio --name=bad --filename="$mnt/between1" --size=$((bad_blocks * 4))k --rw="$op" --bs=4k --direct=1 \
    --ioengine=libaio --iodepth=32 --continue_on_error="$op" --output-format=json --output="$work/bad.json" \
    >"$work/bad.log" 2>&1 || true # not 0 where a block failed
  assert_equal "$bad_blocks 5" "$(jq -r '.jobs[0] | "\(.total_err) \(.first_error)"' "$work/bad.json")" \
    "blocks that fail, and how (${op}s)"
}
# sense_in_range OP SENSE
sense_in_range() {
  rules "[{\"id\": \"$1 $2\", \"op\": \"$1\", \"lba\": [$lba, $((lba + 8 * bad_blocks - 1))], \"action\": \"sense\", \"sense\": [$2]}]"
}

for case in 'read:3, 17, 0' 'write:3, 12, 0' 'write:4, 68, 0'; do
  sense_in_range "${case%:*}" "${case#*:}"
  verify_under "$work/lun.img" "sense ${case#*:} for some blocks" each_block_fails "${case%:*}"
done
# A thin LUN without space refuses what it has to allocate, and no more.
no_space() {
  assert_fails_with 'No space left' dd if=/dev/zero of="$mnt/between1" bs=4k count=1 conv=notrunc oflag=direct
}
sense_in_range write '7, 39, 7'
verify_under "$work/lun.img" 'no space for some blocks' no_space
assert_contains "$(cat "$log")" "reading 4096 bytes at $((lba * 512))" "the log, of the first bad block"
rules '[]'
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
