#!/bin/bash
# Before it serves, the daemon asks the kernel to spare it when memory is short, unless somebody has decided that
# already; without the right to do so it mounts all the same. @short

. "$(dirname "$0")/functions.sh"

requires strace
simple_vg "$work/lun.img"
serve "$work/lun.img"
score_of() { cat "/proc/$(daemons_of "$1")/oom_score_adj"; }
may_change() { (echo -1 >"/proc/$BASHPID/oom_score_adj") 2>/dev/null; }
expected=0
if may_change; then expected=-900; fi

mount_lunfs "$(lun_url)" "$mnt"
assert_equal "$expected" "$(score_of "$mnt")" "the daemon's score"
assert_equal "$expected" "$(cat "/proc/$(watchers_of "$mnt")/oom_score_adj")" "the watcher's score"
unmount "$mnt"

echo 77 >/proc/$BASHPID/oom_score_adj
mount_lunfs "$(lun_url)" "$mnt"
assert_equal 77 "$(score_of "$mnt")" "a score that was set before"
unmount "$mnt"

# What it asks for, whether it is granted or not.
# (Under strace the sanitizer cannot look for leaks.)
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -o "$work/trace" -e trace=prctl,openat,read,pwrite64 "$LUNFS" "$(lun_url)" "$work/none" -o "log_file=$log" 2>/dev/null || true
assert_contains "$(cat "$work/trace")" 'PR_SET_IO_FLUSHER|prctl\(0x39' "the calls"
