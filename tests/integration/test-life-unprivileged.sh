#!/bin/bash
# A user who is not root mounts an image of his own with fusermount3, uses it and unmounts it.
# @short

. "$(dirname "$0")/lib/user.sh"

simple_vg "$work/lun.img"
give_user "$work/lun.img" "$own/lun.img"
mount_as_user "$own/lun.img"
as_user sha256sum "$own/mnt/disk" | grep -q "$(sha256_of "$work/lun.img.disk")" || fail "wrong bytes"
assert_equal "600 $user" "$(as_user stat -c '%a %u' "$own/mnt/disk")" "mode and owner"
assert_fails_with 'Permission denied' ls "$own/mnt"
as_user dd if=/dev/zero of="$own/mnt/disk" bs=1M count=1 conv=notrunc status=none || fail "the user cannot write his own"
as_user "$LUNFS" -u "$own/mnt" || fail "lunfs -u fails"
not_mounted "$own/mnt" || fail "still mounted"
wait_until 20 no_process_of "$own/mnt" || fail "a process lives"
no_sanitizer_report || fail "a sanitizer complains"

# The user's own fusermount3 does as well, and ends the daemon.
mount_as_user "$own/lun.img"
as_user fusermount3 -u "$own/mnt" || fail "fusermount3 -u fails"
wait_until 20 no_process_of "$own/mnt" || fail "a process outlives fusermount3 -u"
no_sanitizer_report || fail "a sanitizer complains"

# A daemon that serves cannot gain anything by executing a set-uid program; its watcher must be able to.
mount_as_user "$own/lun.img"
assert_equal 1 "$(awk '/^NoNewPrivs/ { print $2 }' /proc/"$(daemons_of "$own/mnt")"/task/*/status | sort -u)" "no_new_privs of the daemon"
assert_equal 0 "$(awk '/^NoNewPrivs/ { print $2 }' /proc/"$(watchers_of "$own/mnt")"/status)" "no_new_privs of the watcher"
