#!/bin/bash
# Called as mount.lunfs it takes what mount(8) gives it, words of fstab included, and ends with mount's statuses.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
requires_fuse
ln -s "$LUNFS" "$work/mount.lunfs"
on_exit release_mount "$mnt"
bounded 30 "$work/mount.lunfs" "$work/lun.img" "$mnt" \
  -o "rw,_netdev,nofail,noauto,user,defaults,noatime,x-systemd.automount,comment=disks,nodev,nosuid,log_file=$log" ||
  fail "fstab's words are refused"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "contents"
assert_contains "$(grep -F " $mnt " /proc/self/mountinfo)" 'nosuid.* - fuse.lunfs ' "the mount table"
unmount "$mnt"

# status EXPECTED ARGS...
status() {
  local expected=$1 found=0
  shift
  bounded 30 "$work/mount.lunfs" "$@" >"$work/said" 2>&1 || found=$?
  assert_equal "$expected" $found "status of mount.lunfs $* ($(cat "$work/said"))"
}
status 1 "$work/lun.img" "$mnt" -o nonsense
status 32 "$work/missing.img" "$mnt"
assert_contains "$(cat "$work/said")" '21' "iscsiadm's code stands in the text"
