#!/bin/bash
# With -o ro no write command reaches the target; the same work on a read-write mount is seen. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
before=$(sha256_of "$work/lun.img")
serve "$work/lun.img" 512 thin
start_proxy
# work_on: what a user may try; only its effects matter here
work_on() {
  sha256_of "$mnt/disk" >/dev/null
  bounded 20 dd if=/dev/zero of="$mnt/disk" bs=1M count=1 conv=notrunc,fsync 2>&1 || true
  bounded 20 fallocate -p -l 1M "$mnt/disk" 2>&1 || true
  bounded 20 truncate -s 0 "$mnt/disk" 2>&1 || true
  bounded 20 sync "$mnt/other" || true
  bounded 20 touch "$mnt/disk" 2>&1 || true
}
mount_lunfs "$(proxy_url)" "$mnt" -o ro
work_on
assert_fails_with 'Read-only' dd if=/dev/zero of="$mnt/disk" count=1 conv=notrunc
unmount "$mnt"
[[ $(commands_seen read) -gt 16 ]] || fail "the proxy saw $(commands_seen read) reads only"
assert_equal 0 "$(commands_seen write)" "write commands with -o ro"
assert_equal "$before" "$(sha256_of "$work/lun.img")" "the LUN"

: >"$work/trace.json"
mount_lunfs "$(proxy_url)" "$mnt"
work_on
unmount "$mnt"
[[ $(commands_seen write) -gt 0 ]] || fail "the proxy sees no write of a read-write mount either"
