#!/bin/bash
# A target that proves itself with another secret is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
chap_account 1 array another-secret-1 --outgoing
write_credentials "$work/credentials" default username=alice password=secret-of-alice \
  username_in=array password_in=secret-of-array

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
in_three_parts
says 'mutual' "$iqn"
assert_lacks "$mount_said" 'secret-of|another-secret' "error text"
