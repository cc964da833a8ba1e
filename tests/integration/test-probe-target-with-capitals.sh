#!/bin/bash
# A target whose name has capital letters, as NAS make them, is found and mounted under it. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
start_tgtd
new_target 1 iqn.2026-11.example:Disk.Target-1
new_lun 1 1 "$work/lun.img"

probe --json
assert_equal vg "$(told '.targets[0].luns[] | select(.lun == 1) | .content')" "LUN 1"
url=$(told '.targets[0].luns[] | select(.lun == 1) | .url')
assert_equal "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:Disk.Target-1/1" "$url" "its URL"
probe --json --target iqn.2026-11.example:disk.target-1
assert_equal 1 "$(told '.targets | length')" "targets of that name, without capitals"
write_credentials "$work/credentials" iqn.2026-11.example:disk.target-1 username=alice password=secret-of-alice
chap_account 1 alice secret-of-alice
mount_lunfs "$url" "$mnt" -o "credentials=$work/credentials"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk"
assert_equal iqn.2026-11.example:Disk.Target-1 "$(status_of "$mnt" | jq -r '.sessions[0].target')" "the target in status.json"
unmount "$mnt"
refused 21 "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:disk.target-1/1" "$mnt" -o "credentials=$work/credentials"
says "login to iqn.2026-11.example:disk.target-1 at .*target not found"
