#!/bin/bash
# Mounting read-write, reading and unmounting sends no write command as long as nobody writes. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
simple_sr "$work/sr.img"
serve "$work/lun.img" 512 thin
new_lun 1 2 "$work/sr.img"
start_proxy
mount_lunfs "$(proxy_url 1)" "$mnt"
sha256_of "$mnt/disk" >/dev/null
exec 7<>"$mnt/disk"
exec 7>&-
unmount "$mnt"
mount_lunfs "$(proxy_url 2)" "$mnt" -o detached
sha256_of "$mnt/$disk_uuid.raw" >/dev/null
unmount "$mnt"
[[ $(commands_seen read) -gt 16 ]] || fail "the proxy saw $(commands_seen read) reads only"
assert_equal 0 "$(commands_seen write)" "write commands"
