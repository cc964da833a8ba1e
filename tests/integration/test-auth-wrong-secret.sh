#!/bin/bash
# A wrong secret: refused as iscsiadm says it, naming user, way, credentials file and initiator. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" "$iqn" username=alice password=wrong-secret-1

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,initiator=iqn.2026-11.example:host7"
tells "login to $iqn at 127.0.0.1:$tgt_port with one-way CHAP as user alice was refused: authentication failure \(0x0201\)" \
  'the user name or the secret is not the one the target has' \
  "compare username and password with what the array has for this initiator \(credentials: $work/credentials\); allow initiator iqn.2026-11.example:host7 in the array's access list"
assert_lacks "$mount_said" 'wrong-secret' "error text"
