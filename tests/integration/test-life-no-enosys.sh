#!/bin/bash
# No caller ever gets ENOSYS, and the kernel gets it for no opcode that libfuse 3.14 knows (TMPFILE and STATX are
# newer: libfuse answers these itself). @short

. "$(dirname "$0")/functions.sh"

requires strace
simple_vg "$work/lun.img"
serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt"
pid=$(daemons_of "$mnt")
# The kernel hides some of them from the caller, and remembers: look at the answers themselves.
strace -f -P /dev/fuse -e trace=read,write,writev -xx -s 16 -o "$work/strace" -p "$pid" 2>"$work/strace.err" &
tracer=$!
note_process $tracer
wait_until 10 grep -q attached "$work/strace.err" || skip "strace may not attach: $(cat "$work/strace.err")"
bounded 60 python3 "$tools/many_calls.py" "$mnt" "$mnt/disk" >"$work/calls"
kill -INT $tracer
wait $tracer || true
assert_lacks "$(cat "$work/calls")" 'ENOSYS' "what the caller gets"
said=$(python3 "$tools/fuse_answers.py" "$work/strace")
assert_contains "$said" '^[0-9]{3,} answers, ENOSYS to: $' "the daemon's answers"
# It was all harmless: the names stand, the size stands.
assert_equal $'disk\nother' "$(ls -A "$mnt")" "listing"
assert_equal $((16 << 20)) "$(size_of "$mnt/disk")" "size"
