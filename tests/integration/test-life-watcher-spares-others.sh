#!/bin/bash
# A watcher never removes what somebody else has mounted on the place of its own mount: beside it, above it, or with the
# very number and device that the kernel took from it. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
simple_vg "$work/other.img" 512 other
serve "$work/lun.img"
start_proxy

# line_of DIR: number and device in the mount table
line_of() { awk -v dir="$1" '$5 == dir { print $1, $3 }' /proc/self/mountinfo; }

echo "another lunfs on the place, with the number and the device that ours had:"
mount_lunfs "$(proxy_url)" "$mnt" -o sync_on_close=no
ours=$(line_of "$mnt")
dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc status=none
first=$(daemons_of "$mnt")
watcher=$(watchers_of "$mnt")
rules '[{"id": "silence", "op": "flush", "action": "mute"}]'
umount "$mnt" # the daemon stays for its last flush
mount_lunfs "$work/other.img" "$mnt"
process_gone "$first" && fail "the first daemon did not wait for its flush"
assert_equal "$ours" "$(line_of "$mnt")" "number and device of the second mount (else this shows nothing)"
kill -KILL "$first"
wait_until 20 process_gone "$watcher" || fail "the watcher lives"
is_mounted "$mnt" || fail "the watcher has removed the other mount"
bounded 10 ls "$mnt" >/dev/null || fail "the other mount is not usable"
unmount "$mnt"
rules '[]'

echo "a mount of somebody else above ours:"
mount_lunfs "$work/other.img" "$mnt"
watcher=$(watchers_of "$mnt")
mount -t tmpfs above "$mnt"
on_exit umount -l "$mnt"
kill -KILL "$(daemons_of "$mnt")"
wait_until 20 process_gone "$watcher" || fail "the watcher lives"
assert_contains "$(grep -F " $mnt " /proc/self/mountinfo | tail -n 1)" ' - tmpfs above ' "the topmost mount"
umount "$mnt"
umount -l "$mnt"

echo "a mount that was moved is found where it is:"
# A mount is not moved out of a place that others see: in a private one.
mkdir "$work/private"
mount --bind "$work/private" "$work/private"
on_exit umount -l "$work/private"
mount --make-private "$work/private"
mkdir "$work/private/here" "$work/private/there"
mount_lunfs "$work/other.img" "$work/private/here"
mount --move "$work/private/here" "$work/private/there"
kill -KILL "$(daemons_of "$work/private/here")"
wait_until 20 no_process_of "$work/private/here" || fail "a process lives"
not_mounted "$work/private/there" || fail "the moved mount is left"
