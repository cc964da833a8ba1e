#!/bin/bash
# A target that proves itself with another secret is refused.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
chap_account 1 array another-secret-1 --outgoing
write_credentials "$work/credentials" default username=alice password=secret-of-alice \
  username_in=array password_in=secret-of-array

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,initiator=iqn.2026-11.example:host7"
tells "login to $iqn at 127.0.0.1:$tgt_port with mutual CHAP as user alice: the target did not prove itself: its CHAP name or response is not the expected one" \
  'username_in or password_in is not what the target has, or it is not the target it claims to be' \
  "compare username_in and password_in with what the array has \(credentials: $work/credentials\); allow initiator iqn.2026-11.example:host7 in the array's access list"
assert_lacks "$mount_said" 'secret-of|another-secret' "error text"
