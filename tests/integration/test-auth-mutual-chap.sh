#!/bin/bash
# Mutual CHAP mounts where both sides prove themselves. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
chap_account 1 array secret-of-array --outgoing
write_credentials "$work/credentials" default username=alice password=secret-of-alice \
  username_in=array password_in=secret-of-array

mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk"
