#!/bin/bash
# A target that never proves itself is refused where mutual CHAP is asked for: one that does only one-way CHAP, and one that skips the security stage.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
write_credentials "$work/credentials" default username=alice password=secret-of-alice \
  username_in=array password_in=secret-of-array

echo "a target without any CHAP:"
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,initiator=iqn.2026-11.example:host7"
tells "login to $iqn at 127.0.0.1:$tgt_port with mutual CHAP as user alice: the target did not prove itself: it left the security stage without CHAP" \
  'it is not set up for mutual CHAP, or it is not the target it claims to be' \
  "compare username_in and password_in with what the array has \(credentials: $work/credentials\); allow initiator iqn.2026-11.example:host7 in the array's access list"

echo "a target with one-way CHAP:"
chap_account 1 alice secret-of-alice
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,initiator=iqn.2026-11.example:host7"
tells "login to $iqn at 127.0.0.1:$tgt_port with mutual CHAP as user alice was refused: authentication failure \(0x0201\)" \
  'the user name or the secret is not the one the target has, or the target is not set up for mutual CHAP' \
  "compare username and password with what the array has for this initiator \(credentials: $work/credentials\); allow initiator iqn.2026-11.example:host7 in the array's access list"
