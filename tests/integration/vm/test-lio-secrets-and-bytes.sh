#!/bin/bash
# The Linux kernel's target with CHAP: one-way and mutual logins, refusals of wrong proofs on both sides, and
# bytes that are read from and written to where the LV lies. @timeout=300

. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"

simple_vg "$work/lun.img"
start_lio "$work/lun.img" "$initiator"
with() { write_credentials "$work/credentials" default "$@"; }
mount_target() { mount_lunfs "iscsi://$lio_portal/$lio:$1/1" "$mnt" -o "credentials=$work/credentials,${2:-ro}"; }
refused_at() { refused 24 "iscsi://$lio_portal/$lio:$1/1" "$mnt" -o "credentials=$work/credentials"; }

with username=alice password=wrong-secret-1
refused_at chap
says "login to $lio:chap at $lio_portal with one-way CHAP as user alice was refused: authentication failure" \
  'the user name or the secret is not the one the target has'
with username=alice password=secret-of-alice username_in=array password_in=another-secret
refused_at mutual
says "login to $lio:mutual at $lio_portal with mutual CHAP as user alice: the target did not prove itself"
assert_lacks "$mount_said" 'secret-of|another-secret' "error text"
# A target that proves nothing is not the one with which a secret was agreed.
refused_at chap
says "login to $lio:chap at $lio_portal with mutual CHAP as user alice"

with username=alice password=secret-of-alice
mount_target chap
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk with one-way CHAP"
unmount "$mnt"

with username=alice password=secret-of-alice username_in=array password_in=secret-of-array
mount_target mutual rw
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk with mutual CHAP"
random_file "$work/new" $((5 << 20))
bounded 60 dd if="$work/new" of="$mnt/disk" bs=300000 seek=1 conv=notrunc,fsync status=none
bounded 60 dd if="$work/new" of="$work/lun.img.disk" bs=300000 seek=1 conv=notrunc status=none
lv_bytes read "$work/lun.img.layout" "$work/lun.img" disk | cmp - "$work/lun.img.disk" || fail "what was synced is not on the extents"
unmount "$mnt"
lv_bytes read "$work/lun.img.layout" "$work/lun.img" other | cmp - "$work/other" || fail "another LV was touched"
