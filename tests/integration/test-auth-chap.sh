#!/bin/bash
# One-way CHAP with the secret of a credentials file mounts, and reads what is on the LUN. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" "$iqn" username=alice password=secret-of-alice

mount_lunfs "$(lun_url 1 alice)" "$mnt" -o "credentials=$work/credentials"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk"
assert_equal 1 "$(sessions_of 1)" "sessions at the target"
