#!/bin/bash
# Where /proc is not mounted, so that a mount could not be found to be removed later, it says so and leaves none behind.

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires_root
requires_fuse
forget_other_mounts
simple_vg "$work/lun.img"
umount -l /proc || skip "/proc cannot be unmounted"
status=0
mount_said=$(bounded 60 "$LUNFS" "$work/lun.img" "$mnt" -o "log_file=$log" 2>&1) || status=$?
mount -t proc proc /proc
assert_equal 1 $status "exit status ($mount_said)"
tells 'the new mount is not in the mount table' '/proc is not mounted here, or somebody has removed the mount at once' \
  'look at /proc/self/mountinfo, then mount again'
not_mounted "$mnt" || fail "a mount is left"
wait_until 10 no_process_of "$mnt" || fail "a process is left"
