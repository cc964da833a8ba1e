#!/bin/bash
# A path that leads to another LUN is refused by name, gets no byte, and the others are used. @timeout=180

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

simple_vg "$work/lun.img"
cp --sparse=always "$work/lun.img" "$work/cut.img"
truncate -s -4M "$work/cut.img"
serve "$work/cut.img"
start_path 1
before=$(sha256_of "$work/cut.img")
serve "$work/lun.img"
without_cache
start_path 0
mount_lunfs "$(path_url 0)" "$mnt" -o "portal=${path_portal[1]}"
cut_path 0
bounded 60 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc status=none &
writer=$!
wait_until 20 path_is 1 refused || fail "the path to another LUN is not refused"
start_path 0
wait "$writer" || fail "a write fails although the right path is back"
wait_until 20 path_is 0 'in use' || fail "the right path is not in use"
path_is 1 refused || fail "the path to another LUN is not told as refused"
assert_contains "$(cat "$log")" "portal=${path_portal[1]}: path is (down|not back): another LUN stands at number 1 now" "the log"
assert_equal "$before" "$(sha256_of "$work/cut.img")" "the bytes of the other LUN"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
