#!/bin/bash
# SIGTERM writes the dirty pages of mapped files also when the mount is elsewhere by then: moved, or a directory above it
# renamed. @short

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then # a mount is not moved out of a place that others see
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires_root
requires_fuse
forget_other_mounts
simple_vg "$work/lun.img"
# mapped_while COMMAND...: maps a page of the disk, runs COMMAND, makes the page dirty, ends the daemon
mapped_while() {
  mkdir -p "$work/above/mnt" "$work/there"
  mount_lunfs "$work/lun.img" "$work/above/mnt"
  bounded 30 python3 - "$work/above/mnt" "$(daemons_of "$work/above/mnt")" "$@" <<'PYTHON' || fail "the daemon does not end after $*"
import mmap, os, signal, subprocess, sys, time
mount, pid, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
fd = os.open(mount + "/disk", os.O_RDWR)
pages = mmap.mmap(fd, 8192)
subprocess.run(command, check=True)
pages[4096:4096 + len(command[0])] = command[0].encode()
os.kill(pid, signal.SIGTERM)
for _ in range(200):
    try:
        if open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z":
            sys.exit(0)
    except FileNotFoundError:
        sys.exit(0)
    time.sleep(0.1)
sys.exit(1)
PYTHON
  wait_until 20 no_process_of "$work/above/mnt" || fail "a process lives"
  assert_lacks "$(cat /proc/self/mountinfo)" " $work/.*fuse.lunfs" "the mount table"
  mount_lunfs "$work/lun.img" "$mnt" -o ro
  assert_equal "$1" "$(dd if="$mnt/disk" bs=1 skip=4096 count=${#1} status=none)" "what was written after: $*"
  unmount "$mnt"
}
mapped_while mount --move "$work/above/mnt" "$work/there"
mapped_while mv "$work/above" "$work/renamed"

echo "out of the tree with a file in use:"
mount_lunfs "$work/lun.img" "$mnt"
daemon=$(daemons_of "$mnt")
exec 7<>"$mnt/disk"
umount -l "$mnt"
kill -TERM "$daemon"
wait_until 20 no_process_of "$mnt" || fail "a process lives"
exec 7<&-
assert_contains "$(cat "$log")" "$mnt: pages of mapped files may not be written: out of the tree already \(umount -l\)\$" "the log"
