#!/bin/bash
# Tools ask the daemon of a mount and never the mount: one that hangs costs their time and no more; another user's is not asked.
# Not in the short set: at its end the leak check of a build with sanitizers waits for every thread, also
# for one that hangs in a file system.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
mount_lunfs "$work/lun.img" "$work/second" -o ro

# The right one of several answers.
tool lunfs-sr info "$work/second" --json
assert_equal "$work/second" "$(told .mount_point)" "who answers"
tool lunfs-vdi list "$mnt" --minimal
assert_equal 'disk,other' "$tool_out" "volumes"

# From inside the mount, and by a relative name.
(cd "$mnt" && tool lunfs-sr info . --json && assert_equal "$mnt" "$(told .mount_point)" "who answers for .")
(cd "$work" && tool lunfs-vdi list mnt/ --minimal && assert_equal 'disk,other' "$tool_out" "volumes")

pid=$(daemons_of "$mnt")
kill -STOP "$pid"
on_exit kill -CONT "$pid"
start=$SECONDS
tool_fails 8 "$mnt: the daemon did not answer for 3 s" 'it is stopped, or hangs' '.*' lunfs-sr info "$mnt" --timeout 3
assert_less $((SECONDS - start)) 10 "seconds to say so"
# So does a file on such a mount.
start=$SECONDS
tool_fails 8 "$mnt/disk: the file system did not answer for 2 s" 'it lies on a mount whose server or daemon hangs' \
  'look at the mounts above it with findmnt' lunfs-vdi list "$mnt/disk" --timeout 2
assert_less $((SECONDS - start)) 10 "seconds to say so"
# The other one answers all the same.
tool lunfs-sr info "$work/second" --json
kill -CONT "$pid"
tool lunfs-sr info "$mnt" --json

tool_fails 7 "$work: a directory, and no lunfs is mounted there" '.*' 'findmnt -t fuse.lunfs lists the mounts' \
  lunfs-vdi list "$work"
run_tool lunfs-vdi list "$work/nothing"
assert_equal 21 "$tool_status" "status for a path that is not there"

requires setpriv
run_tool_as_nobody() {
  tool_status=0
  tool_err=$(bounded 30 setpriv --reuid=65534 --regid=65534 --clear-groups "${LUNFS%/*}/lunfs-sr" info "$mnt" 2>&1) || tool_status=$?
}
run_tool_as_nobody
assert_equal 13 "$tool_status" "status for another user's mount ($tool_err)"
assert_contains "$tool_err" "^lunfs-sr: $mnt: the mount of another user\$" "error text"
