#!/bin/bash
# Neighbours that come together go as one command; if the storage cannot read one of them, that one fails and no other.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
# read_64: 64 blocks of 4 KiB, all at once; prints how many failed. fio's own status is not 0 when one
# does; without its report nothing is printed, which is no number that is asked for
read_64() {
  rm -f "$work/fio.json"
  bounded 60 fio --name=read --filename="$mnt/disk" --rw=read --bs=4k --size=256k --direct=1 \
    --ioengine=libaio --iodepth=64 --iodepth_batch=64 --continue_on_error=read \
    --output-format=json --output="$work/fio.json" >/dev/null 2>&1 || true
  jq '.jobs[0].total_err' "$work/fio.json"
}
# longest WHAT: blocks or lba of the longest READ so far
longest() {
  jq -s --arg what "$1" 'map(select(.event == "command" and .class == "read")) | max_by(.blocks) | .[$what]' \
    "$work/trace.json"
}

[[ $(read_64) == 0 ]] || fail "blocks fail without a fault"
[[ $(longest blocks) -gt 16 ]] || fail "no neighbours went together: the longest READ has $(longest blocks) sectors"

bad=$(($(longest lba) + 8)) # the second block of it
rules "[{\"id\": \"bad\", \"op\": \"read\", \"lba\": [$bad, $((bad + 7))], \"action\": \"sense\", \"sense\": [3, 17, 0]}]"
failed=$(read_64)
[[ $failed == 1 ]] || fail "$failed blocks failed, one is bad"
rules '[]'
[[ $(read_64) == 0 ]] || fail "blocks fail after the fault"
