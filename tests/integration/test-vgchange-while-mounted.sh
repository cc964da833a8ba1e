#!/bin/bash
# Another host (lvm2) changes a plain VG that is mounted read-write: what is the same goes on, what has grown has its new
# size, what is gone or elsewhere fails with EIO, and no byte of another LV is touched; new ones appear. @timeout=240

. "$(dirname "$0")/functions.sh"
requires python3

image=$work/lun.img
simple_vg "$image"
open_lvm "$image"
new_lv plain victim 4
new_lv plain moved 4
new_lv plain shrinks 4
save_layout "$image.layout"
close_lvm
serve "$image"
mount_lunfs "$(lun_url)" "$mnt"

# on_other_host COMMAND...: COMMAND with lvm2 on the same image; the layout afterwards is in IMAGE.layout
on_other_host() {
  open_lvm "$image"
  "$@"
  save_layout "$image.layout"
  close_lvm
}
change() {
  lvm2 lvextend -l +2 plain/other >/dev/null
  lvm2 lvremove -f -y plain/victim >/dev/null
  lvm2 lvreduce -f -y -l 2 plain/shrinks >/dev/null
  # The extents that victim and shrinks had are another LV's now.
  new_lv plain usurper 6
}
# fails_with_eio FD WAY: one 4096-byte pread (r) or pwrite (w) at 0 of the open file
fails_with_eio() {
  bounded 60 python3 -c '
import errno, os, sys
fd, way = int(sys.argv[1]), sys.argv[2]
try:
    os.pread(fd, 4096, 0) if way == "r" else os.pwrite(fd, b"Z" * 4096, 0)
except OSError as error:
    sys.exit(0 if error.errno == errno.EIO else f"errno {error.errno}")
sys.exit("it succeeded")' "$1" "$2" || fail "$2 of fd $1 does not fail with EIO"
}
# size_is FILE BYTES
size_is() { [[ $(size_of "$1") == "$2" ]]; }
not_there() { [[ ! -e $1 ]]; }

exec 3<>"$mnt/disk" 4<>"$mnt/victim" 5<>"$mnt/shrinks" 6<>"$mnt/other" 7<"$mnt/moved"
on_other_host change
random_file "$work/usurper" $((6 << 20))
lv_bytes write "$image.layout" "$image" usurper 0 <"$work/usurper"
sync "$image"

# An open for writing looks; whatever it opens.
dd if=/dev/zero of="$mnt/disk" bs=4k count=0 conv=notrunc status=none
for fd in 4 5; do
  fails_with_eio $fd w
  fails_with_eio $fd r
done
exec 3<&- 7<&-
assert_same_bytes "$image.disk" "$mnt/disk" "an LV that is what it was"
assert_equal "$(sha256_of "$work/usurper")" "$(lv_bytes sha256 "$image.layout" "$image" usurper)" "the LV that has the extents now"
assert_same_bytes "$work/usurper" "$mnt/usurper" "a new LV"
wait_until 5 not_there "$mnt/victim" || fail "a removed LV is still there"
assert_contains "$(ls "$mnt")" '^usurper$' "the listing"
assert_lacks "$(ls "$mnt")" '^victim$' "the listing"
wait_until 5 size_is "$mnt/other" $((10 << 20)) || fail "the size of an LV that has grown"
wait_until 5 size_is "$mnt/shrinks" $((2 << 20)) || fail "the size of an LV that has shrunk"
# The handle from before the growth reaches the new end.
random_file "$work/tail" $((1 << 20))
bounded 60 dd if="$work/tail" bs=1M seek=9 oflag=seek_bytes conv=notrunc status=none of=/dev/fd/6 seek=$((9 << 20)) 2>"$work/dd.log" ||
  fail "writing behind the old end: $(cat "$work/dd.log")"
exec 6<&-
assert_same_bytes "$work/tail" <(lv_bytes read "$image.layout" "$image" other $((9 << 20)) $((1 << 20))) "the grown LV's end"
# What is open anew is the new one.
dd if=/dev/urandom of="$mnt/shrinks" bs=1M count=2 conv=notrunc,fsync status=none || fail "a write to what has shrunk, opened anew"
assert_equal "$(lv_bytes sha256 "$image.layout" "$image" shrinks)" "$(sha256_of "$mnt/shrinks")" "what has shrunk, opened anew"
assert_equal "$(sha256_of "$work/usurper")" "$(lv_bytes sha256 "$image.layout" "$image" usurper)" "the LV that has the extents now, at the end"
text=$(cat "$log")
assert_contains "$text" 'vg=plain: changed by another host \(seqno [0-9]+\): 2 new, 1 grown, 2 changed or gone' "the log"
assert_contains "$text" 'LV victim is no longer in VG plain' "the log"
assert_contains "$text" 'LV shrinks of VG plain is not what it was: it has shrunk from 4194304 to 2097152 bytes' "the log"
assert_contains "$text" 'likely cause: another host has removed it' "the log"
assert_contains "$text" 'what to do: close the file and open it again' "the log"
assert_equal 1 "$(status_of "$mnt" | jq .vg_changes)" "vg_changes"
# Closing a handle of what is gone tells, too.
assert_contains "$( (exec 4<&-) 2>&1)" 'Input/output error' "close"
exec 4<&- || true
exec 5<&- || true

# Without an open: a listing begins a look, the next one shows what it found.
on_other_host new_lv plain late 1
sleep 5.1
wait_until 10 bash -c "ls '$mnt' | grep -qx late" || fail "a new LV does not appear"
unmount "$mnt"
