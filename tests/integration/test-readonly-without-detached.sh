#!/bin/bash
# A XenServer VG is read-only unless detached: EROFS, no write command, and log, mount and status.json name the option. @short

. "$(dirname "$0")/functions.sh"

simple_sr "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
assert_same_bytes "$mnt/$disk_uuid.raw" "$work/lun.img.disk" "reading"
assert_fails_with 'Read-only file system' dd if=/dev/zero of="$mnt/$disk_uuid.raw" count=1 conv=notrunc
assert_fails_with 'Read-only file system|not permitted' truncate -s 0 "$mnt/$disk_uuid.raw"
assert_fails_with 'Read-only file system' fallocate -p -l 4096 "$mnt/$disk_uuid.raw"
assert_contains "$(cat "$log")" detached "log"
assert_contains "$(status_of "$mnt")" detached "status.json"
unmount "$mnt"
assert_equal 0 "$(commands_seen write)" "write commands"
