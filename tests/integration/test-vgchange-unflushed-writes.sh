#!/bin/bash
# Writes that were acknowledged and not flushed are not written again after an outage when another host has given their
# extents to another LV: that one keeps its bytes, and fsync tells a loss. @timeout=180

. "$(dirname "$0")/functions.sh"

image=$work/lun.img
simple_vg "$image"
open_lvm "$image"
new_lv plain victim 4
close_lvm
serve "$image"
mount_lunfs "$(lun_url)" "$mnt" -o sync_on_close=no
random_file "$work/lost" $((4 << 20))
# A handle from before: exits with 5 if its fsync fails so when $work/back is there.
bounded 90 python3 -c '
import os, sys, time
handle = os.open(sys.argv[1], os.O_RDWR)
open(sys.argv[2] + "/open", "w").close()
while not os.path.exists(sys.argv[2] + "/back"):
    time.sleep(0.05)
try:
    os.fsync(handle)
except OSError as error:
    os._exit(error.errno)' "$mnt/disk" "$work" &
handle=$!
note_process "$handle"
wait_until 10 test -e "$work/open" || fail "no handle"
dd if="$work/lost" of="$mnt/victim" bs=64k oflag=direct conv=notrunc status=none
dd if="$work/lost" of="$mnt/disk" bs=64k count=4 oflag=direct conv=notrunc status=none
kill -9 "$tgt_pid"
open_lvm "$image"
lvm2 lvremove -f -y plain/victim >/dev/null
new_lv plain usurper 4
save_layout "$image.layout"
close_lvm
random_file "$work/usurper" $((4 << 20))
lv_bytes write "$image.layout" "$image" usurper 0 <"$work/usurper"
serve_again "$image"
wait_until 20 session_is "$mnt" up || fail "the session does not come back"
assert_equal "$(sha256_of "$work/usurper")" "$(lv_bytes sha256 "$image.layout" "$image" usurper)" "the LV that has the extents now"
touch "$work/back"
status=0
wait "$handle" || status=$?
assert_equal 5 "$status" "fsync of a handle from before"
end_after_loss "$mnt"
assert_equal "$(sha256_of "$work/usurper")" "$(lv_bytes sha256 "$image.layout" "$image" usurper)" "the LV at the end"
((sessions_a_mount > 1)) || # several have no journal
  assert_contains "$(cat "$log")" 'journal of [0-9]+ bytes is given up: another host has changed the VG' "the log"
