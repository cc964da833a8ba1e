#!/bin/bash
# A target that is back after less than a second: I/O flows again within two seconds of its return, whichever way it was
# away. Three times that is allowed here. @alone @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
mount_lunfs "$(lun_url)" "$mnt"

# One block after the other, for ever: the time at which each had been read, as seconds since the epoch.
python3 - "$mnt/disk" "$work/last" "$work/failed" <<'PYTHON' &
import mmap, os, sys, time
path, last, failed = sys.argv[1:]
file = os.open(path, os.O_RDONLY | os.O_DIRECT)
block = mmap.mmap(-1, 4096)
out = os.open(last, os.O_WRONLY | os.O_CREAT)
while True:
    try:
        os.preadv(file, [block], 0)
    except OSError as error:
        open(failed, "w").write(str(error))
        raise
    os.pwrite(out, b"%.6f\n" % time.time(), 0)
    time.sleep(0.005)
PYTHON
reader=$!
note_process "$reader"
wait_until 10 test -s "$work/last" || fail "no read comes"

flows_since() { python3 -c 'import sys; sys.exit(float(open(sys.argv[1]).readline()) < float(sys.argv[2]))' "$work/last" "$1"; }
# flows_again WHAT BACK: waits for a read that ended after BACK, the time at which the target was back; says how long it took
flows_again() {
  wait_until 10 flows_since "$2" || fail "no I/O after: $1"
  local took
  took=$(python3 -c 'import sys; print(int(1000 * (float(open(sys.argv[1]).readline()) - float(sys.argv[2]))))' "$work/last" "$2")
  echo "$1: I/O flows $took ms after the target is back"
  assert_less "$took" 6000 "milliseconds until I/O flows ($1)"
  [[ ! -e $work/failed ]] || fail "a read failed: $(cat "$work/failed")"
}

for round in 1 2 3; do
  kill -9 "$tgt_pid"
  sleep 0.5
  serve_again "$work/lun.img"
  flows_again "killed and started, round $round" "$EPOCHREALTIME"

  kill -STOP "$tgt_pid"
  sleep 0.9
  kill -CONT "$tgt_pid"
  flows_again "stopped and continued, round $round" "$EPOCHREALTIME"

  tgt --op show --mode conn --tid 1 >"$work/conn"
  session=$(awk '/^Session:/ {print $2}' "$work/conn")
  connection=$(awk '/Connection:/ {print $2}' "$work/conn")
  tgt --op delete --mode conn --tid 1 --sid "$session" --cid "$connection"
  flows_again "connection cut at the target, round $round" "$EPOCHREALTIME"
done
kill "$reader"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
