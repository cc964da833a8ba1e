#!/bin/bash
# A wrong secret: refused as iscsiadm says it, naming user, way, initiator. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" "$iqn" username=alice password=wrong-secret-1

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,initiator=iqn.2026-11.example:host7"
in_three_parts
says 'alice' 'one-way' 'iqn.2026-11.example:host7' "$work/credentials"
assert_lacks "$mount_said" 'wrong-secret' "error text"
