#!/bin/bash
# Whatever ends the daemon, its mount is gone soon after it, and so is the watcher that removed it; the place can be used
# again at once. As root. @short

. "$(dirname "$0")/functions.sh"

export ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0 # below, it is sent on purpose
simple_vg "$work/lun.img"
serve "$work/lun.img"
source=$(lun_url)

# descriptors_of PID: what they lead to, the null device left out
descriptors_of() { readlink /proc/"$1"/fd/* | grep -vx /dev/null; }

mount_lunfs "$source" "$mnt"
watcher=$(watchers_of "$mnt")
assert_contains "$(descriptors_of "$watcher")" '^socket:\[[0-9]+\]$' "what the watcher holds"
assert_equal 1 "$(descriptors_of "$watcher" | wc -l)" "descriptors of the watcher"
assert_equal / "$(readlink "/proc/$watcher/cwd")" "the watcher's directory"
assert_equal "lunfs-watcher $mnt " "$(tr '\0' ' ' <"/proc/$watcher/cmdline")" "the watcher's command line"
# It is not for users to end: what ends the daemon's kind must not end it first.
kill -TERM "$watcher"
kill -INT "$watcher"
unmount "$mnt"
wait_until 5 no_process_of "$mnt" || fail "the watcher outlives an unmount"

for signal in TERM INT KILL ABRT SEGV; do
  mount_lunfs "$source" "$mnt"
  # Kernels remember attributes: a dead mount must be found dead all the same.
  stat "$mnt" "$mnt/disk" >/dev/null
  daemon=$(daemons_of "$mnt")
  exec 7<"$mnt/disk" # in use: only a lazy unmount goes
  if [[ $signal == KILL || $signal == ABRT || $signal == SEGV ]]; then
    kill -$signal "$daemon"
  else
    exec 7<&-
    kill -$signal $(lunfs_processes_of "$mnt") # the whole family, as a service manager does
  fi
  wait_until 20 no_process_of "$mnt" || fail "SIG$signal: a process lives"
  not_mounted "$mnt" || fail "SIG$signal: still mounted"
  assert_equal "" "$(ls -A "$mnt")" "SIG$signal: the place"
  wait_until 5 no_session_left || fail "SIG$signal: a session is left at the target"
  assert_equal "" "$(find /run/lunfs -name "*-$daemon.sock")" "SIG$signal: control sockets"
  exec 7<&-
done
mount_lunfs "$source" "$mnt"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "after all that"

# A watcher that was killed is told by the daemon, which ends nevertheless.
daemon=$(daemons_of "$mnt")
kill -KILL "$(watchers_of "$mnt")"
kill -TERM "$daemon"
wait_until 20 no_process_of "$mnt" || fail "without its watcher the daemon lives"
assert_contains "$(cat "$log")" "$mnt stays mounted: $mnt: the watcher of this mount has ended" "the log"
umount -l "$mnt"
