#!/bin/bash
# Another host (lvm2) changes a plain VG while the target is away and requests wait: those for LVs that are the same go on
# when it is back, those for an LV whose extents another one has now fail, and no byte of that one changes; with one
# session and with several. @timeout=300

. "$(dirname "$0")/functions.sh"
requires python3

image=$work/lun.img
simple_vg "$image"
open_lvm "$image"
new_lv plain victim 4
close_lvm

# run_once [OPTION...]: one outage, in which victim gives way to usurper
run_once() {
  local writes=()
  layout_of "$image" "$image.layout"
  serve_or_again
  mount_lunfs "$(lun_url)" "$mnt" "$@"
  random_file "$work/same" $((1 << 20))
  random_file "$work/lost" $((1 << 20))
  kill -9 "$tgt_pid"
  # Else an open, too, may be what waits: it looks at the VG where the session is still there.
  wait_until 20 session_is "$mnt" lost || fail "the loss is not noticed"
  bounded 100 dd if="$work/same" of="$mnt/disk" bs=64k oflag=direct conv=notrunc 2>"$work/same.log" &
  writes+=($!)
  bounded 100 dd if="$work/lost" of="$mnt/victim" bs=64k oflag=direct conv=notrunc 2>"$work/lost.log" &
  writes+=($!)
  bounded 100 dd if="$mnt/victim" of=/dev/null bs=64k count=1 iflag=direct 2>"$work/read.log" &
  writes+=($!)
  wait_until 20 waiting 3 || fail "not all requests wait"
  # Small neighbours, which go as one command if they can.
  bounded 100 python3 -c '
import os, sys, threading
fd, failed = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT), []
def write(i):
    try:
        os.pwrite(fd, b"Z" * 512, (2 << 20) + i * 512)
    except OSError as error:
        failed.append(error.errno)
all = [threading.Thread(target=write, args=(i,)) for i in range(32)]
[one.start() for one in all]
[one.join() for one in all]
sys.exit(0 if failed == [5] * 32 else f"{failed}")' "$mnt/victim" 2>"$work/small.log" &
  writes+=($!)
  wait_until 20 waiting 4 || fail "no small write waits"
  open_lvm "$image"
  lvm2 lvremove -f -y plain/victim >/dev/null
  new_lv plain usurper 4
  save_layout "$image.layout"
  close_lvm
  random_file "$work/usurper" $((4 << 20))
  lv_bytes write "$image.layout" "$image" usurper 0 <"$work/usurper"
  serve_again "$image"
  wait "${writes[0]}" || fail "a write to an LV that is the same: $(cat "$work/same.log")"
  wait "${writes[1]}" && fail "a write to an LV that is gone succeeds"
  assert_contains "$(cat "$work/lost.log")" 'Input/output error' "dd to an LV that is gone"
  wait "${writes[3]}" || fail "small writes to an LV that is gone: $(cat "$work/small.log")"
  wait "${writes[2]}" && fail "a read of an LV that is gone succeeds"
  assert_contains "$(cat "$work/read.log")" 'Input/output error' "dd from an LV that is gone"
  assert_equal "$(sha256_of "$work/usurper")" "$(lv_bytes sha256 "$image.layout" "$image" usurper)" "the LV that has the extents now"
  assert_same_bytes "$work/same" <(lv_bytes read "$image.layout" "$image" disk 0 $((1 << 20))) "the LV that is the same"
  assert_same_bytes "$work/usurper" "$mnt/usurper" "the new LV through the mount"
  wait_until 5 session_is "$mnt" up || fail "the session is not up"
  assert_contains "$(cat "$log")" 'LV victim is no longer in VG plain' "the log"
  end_after_loss "$mnt"
  # For the next round.
  open_lvm "$image"
  lvm2 lvrename plain usurper victim >/dev/null
  close_lvm
}
waiting() { (($(status_of "$mnt" | jq .requests.in_flight) >= $1)); }
started=
serve_or_again() {
  if [[ -z $started ]]; then
    serve "$image"
    started=1
  else
    kill -9 "$tgt_pid" || true
    serve_again "$image"
  fi
}

run_once
run_once -o sessions=2
run_once -o cache=none
