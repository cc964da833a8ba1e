#!/bin/bash
# During an outage lunfs -u and SIGTERM end the mount in time, timeout=0 or not; with timeout=0 a read, fsync or close
# that waits can be killed.
# @timeout=240

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"

mount_lunfs "$(lun_url)" "$mnt" -o timeout=0
kill -9 "$tgt_pid"
wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed"
dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &
reader=$!
wait_until 10 in_flight "$mnt" || fail "no read comes"
kill -9 $reader
wait_until 5 process_gone $reader || fail "a killed reader hangs"
for call in os.fsync os.close; do
  serve_again "$work/lun.img"
  wait_until 10 session_is "$mnt" up || fail "the session does not come back ($call)"
  rm -f "$work/written" "$work/down"
  python3 - "$mnt" "$work" "$call" <<'PYTHON' &
import os, sys, time
mount, work, call = sys.argv[1:]
file = os.open(mount + "/disk", os.O_RDWR)
os.pwrite(file, b"at stake" * 512, 0)
open(work + "/written", "w").close()
while not os.path.exists(work + "/down"):
    time.sleep(0.05)
eval(call)(file)
PYTHON
  syncer=$!
  wait_until 10 test -e "$work/written" || fail "nothing is written ($call)"
  kill -9 "$tgt_pid"
  wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed ($call)"
  touch "$work/down"
  wait_until 10 in_flight "$mnt" || fail "no flush comes ($call)"
  kill -9 $syncer
  wait_until 5 process_gone $syncer || fail "killed in $call it hangs"
done
serve_again "$work/lun.img"
wait_until 10 session_is "$mnt" up || fail "the session does not come back"
bounded 20 sync "$mnt/disk" 2>/dev/null || true # what the killed ones left is told here, once
bounded 20 sync "$mnt/disk" || fail "the second fsync fails"
kill -9 "$tgt_pid"
wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed"
start=$SECONDS
end_after_loss "$mnt" # it tells of what the killed ones wrote
assert_less $((SECONDS - start)) 15 "seconds of lunfs -u"
no_daemon_of "$mnt" || fail "the daemon lives"

serve_again "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o timeout=0
kill -9 "$tgt_pid"
wait_until 10 session_is "$mnt" lost || fail "the loss is not noticed"
start=$SECONDS
kill -TERM "$(daemons_of "$mnt")"
wait_until 60 no_daemon_of "$mnt" || fail "SIGTERM does not end the daemon"
assert_less $((SECONDS - start)) 15 "seconds after SIGTERM"
not_mounted "$mnt" || fail "still mounted"
