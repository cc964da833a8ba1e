#!/bin/bash
# A VG that an ordinary user has mounted read-write is not mounted read-write by root, nor the other way round.

. "$(dirname "$0")/lib/user.sh"

[[ -k /run/lock && -w /run/lock ]] || skip "/run/lock is not a place for all users"
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_as_user "$(lun_url)"
refused 28 "$(lun_url)" "$mnt"
tells "the VG is mounted read-write already: pid $(daemons_of "$own/mnt") on $own/mnt" \
  "two read-write mounts of one VG on this host would not see each other's writes" \
  'use the other mount, unmount it first, or mount this one with -o ro'
mount_lunfs "$(lun_url)" "$mnt" -o ro
unmount "$mnt"
unmount "$own/mnt"

# The lock's file is the user's, who made it first: root cannot write into it who holds the lock.
mount_lunfs "$(lun_url)" "$mnt"
assert_fails_with "mounted read-write already: pid $(daemons_of "$mnt") on $mnt\$" "${like_user[@]}" "$LUNFS" "$(lun_url)" "$own/mnt"
unmount "$mnt"
mount_as_user "$(lun_url)"
as_user cmp "$own/mnt/disk" "$work/lun.img.disk" || fail "wrong bytes"
no_sanitizer_report || fail "a sanitizer complains"
