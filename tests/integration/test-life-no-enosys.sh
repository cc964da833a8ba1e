#!/bin/bash
# No caller ever gets ENOSYS, and the kernel gets it for no opcode that is known, be it newer than libfuse: these have
# the results of the older requests that they extend. @short

. "$(dirname "$0")/functions.sh"

requires strace
simple_vg "$work/lun.img"
serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt"
pid=$(daemons_of "$mnt")

# newer_of_this_kernel: opcodes that it asks and libfuse does not know: TMPFILE, STATX, COPY_FILE_RANGE_64
newer_of_this_kernel() {
  local opcodes=() entry
  for entry in 6.2:51 6.6:52 6.18:53; do
    if printf '%s\n' "${entry%:*}" "$(uname -r)" | sort -CV; then opcodes+=("${entry#*:}"); fi
  done
  echo "${opcodes[*]}"
}

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
assert_contains "$said" "^newer than libfuse: $(newer_of_this_kernel)\$" "what the kernel asked"
# It was all harmless: the names stand, the size stands.
assert_equal $'disk\nother' "$(ls -A "$mnt")" "listing"
assert_equal $((16 << 20)) "$(size_of "$mnt/disk")" "size"

# With and without the time of birth (%W, 0 = none): what STATX tells and what GETATTR tells.
same_by_both() {
  local all='%i %s %b %o %f %h %u %g %X %Y'
  [[ $(stat --cached=never -c "$all 0" "$1") == "$(stat --cached=never -c "$all %W" "$1")" ]]
}
for file in "$mnt" "$mnt/disk" "$mnt/.lunfs" "$mnt/.lunfs/lv/other"; do
  same_by_both "$file" || fail "$file: stat and statx differ: $(stat "$file")"
done
# Of a control file too, which has the size of its text.
for file in "$mnt/.lunfs/status.json" "$mnt/.lunfs/metrics"; do
  wait_until 10 same_by_both "$file" || fail "$file: stat and statx differ: $(stat "$file")"
  assert_less 0 $(($(stat --cached=never -c '%s + %W' "$file"))) "$file: its size"
done
assert_equal - "$(stat -c %w "$mnt/disk")" "time of birth"
assert_contains "$(cat "$work/calls")" '^tmpfile: ENOTSUP$' "a file without a name"
assert_contains "$(cat "$log")" "creating '/' refused" "its line in the log"
assert_contains "$(cat "$work/calls")" '^copy_file_range: ok$' "copy_file_range"
