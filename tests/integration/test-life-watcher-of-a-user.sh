#!/bin/bash
# Whatever ends the daemon of an ordinary user, his mount is gone soon after it: fusermount3 removes it. @short

. "$(dirname "$0")/lib/user.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
for signal in TERM KILL ABRT; do
  mount_as_user "$(lun_url)" -o "initiator=$initiator"
  as_user ls -l "$own/mnt" >/dev/null
  kill -$signal "$(daemons_of "$own/mnt")"
  wait_until 20 no_process_of "$own/mnt" || fail "SIG$signal: a process lives"
  not_mounted "$own/mnt" || fail "SIG$signal: still mounted"
  wait_until 5 no_session_left || fail "SIG$signal: a session is left at the target"
done
mount_as_user "$(lun_url)" -o "initiator=$initiator"
as_user cmp "$own/mnt/disk" "$work/lun.img.disk" || fail "wrong bytes after all that"
no_sanitizer_report || fail "a sanitizer complains"
