#!/bin/bash
# Started by a service manager it says READY=1 when the mount is usable, not before, and STOPPING=1 when it ends; a mount
# that fails says nothing. The socket may have a path or an abstract name. @short

. "$(dirname "$0")/functions.sh"

requires_fuse
simple_vg "$work/lun.img"
on_exit release_mount "$mnt"

# listen NAME: a manager's socket; what comes is a line each in $work/notices, with whether the mount could be used then
listen() {
  rm -f "$work/notices" "$work/listening"
  python3 - "$1" "$mnt" "$work/listening" >"$work/notices" <<'PYTHON' &
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\0" + sys.argv[1][1:] if sys.argv[1].startswith("@") else sys.argv[1])
open(sys.argv[3], "w").close()
while True:
    notice = manager.recv(4096).decode()
    print(notice.replace("\n", " "), "disks:", len(os.listdir(sys.argv[2])), flush=True)
PYTHON
  listener=$!
  note_process $listener
  on_exit end_process $listener
  wait_until 10 test -e "$work/listening" || fail "no listener"
}

for socket in "$work/notify" "@lunfs-test-$$"; do
  listen "$socket"
  NOTIFY_SOCKET=$socket "$LUNFS" -f "$work/lun.img" "$mnt" 2>"$work/stderr.log" &
  pid=$!
  note_process $pid
  wait_until 20 grep -q READY=1 "$work/notices" || fail "no READY=1: $(cat "$work/notices" "$work/stderr.log")"
  assert_equal "READY=1 STATUS=Mounted on $mnt disks: 2" "$(cat "$work/notices")" "notices while mounted"
  bounded 20 umount "$mnt"
  status=0
  wait $pid || status=$?
  assert_equal 0 $status "exit status"
  assert_contains "$(tail -n 1 "$work/notices")" '^STOPPING=1 STATUS=Flushing and logging out' "the last notice"
  assert_equal 2 "$(wc -l <"$work/notices")" "notices"
done

listen "$work/notify2"
NOTIFY_SOCKET=$work/notify2 bounded 20 "$LUNFS" -f "$work/missing.img" "$mnt" 2>/dev/null && fail "a missing image is mounted"
assert_equal "" "$(cat "$work/notices")" "notices of a mount that fails"

# A manager that is not there, or a name that is none, hinders nobody.
for socket in "$work/nobody" relative ''; do
  NOTIFY_SOCKET=$socket "$LUNFS" -f "$work/lun.img" "$mnt" 2>"$work/stderr.log" &
  pid=$!
  note_process $pid
  wait_until 20 is_mounted "$mnt" || fail "no mount with NOTIFY_SOCKET='$socket'"
  unmount "$mnt"
  wait $pid || fail "status with NOTIFY_SOCKET='$socket'"
done
