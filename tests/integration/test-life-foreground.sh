#!/bin/bash
# With -f it stays in the foreground and logs to stderr; SIGINT ends it with status 0. -d logs requests.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
requires_fuse
for flag in -f -d; do
  on_exit release_mount "$mnt"
  # A background job of a script ignores SIGINT; a terminal's does not.
  python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LUNFS" "$work/lun.img" "$mnt" $flag 2>"$work/stderr$flag.log" &
  pid=$!
  note_process $pid
  wait_until 20 is_mounted "$mnt" || fail "$flag: no mount"
  bounded 20 cmp "$mnt/disk" "$work/lun.img.disk" || fail "$flag: wrong bytes"
  kill -INT $pid
  status=0
  wait $pid || status=$?
  assert_equal 0 "$status" "$flag: exit status after SIGINT"
  wait_until 5 not_mounted "$mnt" || fail "$flag: still mounted"
  [[ -s $work/stderr$flag.log ]] || fail "$flag: nothing on stderr"
done
assert_contains "$(tr A-Z a-z <"$work/stderr-d.log")" 'read|lookup' "-d logs requests"
