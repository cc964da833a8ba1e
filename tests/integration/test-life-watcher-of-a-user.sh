#!/bin/bash
# Whatever ends the daemon of an ordinary user, his mount is gone soon after it: fusermount3 removes it. @short

. "$(dirname "$0")/lib/user.sh"

simple_vg "$work/lun.img"
give_user "$work/lun.img" "$own/lun.img"
for signal in TERM KILL ABRT; do
  mount_as_user "$own/lun.img"
  as_user ls -l "$own/mnt" >/dev/null
  kill -$signal "$(daemons_of "$own/mnt")"
  wait_until 20 no_process_of "$own/mnt" || fail "SIG$signal: a process lives"
  not_mounted "$own/mnt" || fail "SIG$signal: still mounted"
done
mount_as_user "$own/lun.img"
as_user cmp "$own/mnt/disk" "$work/lun.img.disk" || fail "wrong bytes after all that"
no_sanitizer_report || fail "a sanitizer complains"
