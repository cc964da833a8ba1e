#!/bin/bash
# Without a journal: a target with a volatile cache that is restarted may have lost what was acknowledged and not
# flushed: the next fsync of every handle that may write fails once, and so does the end of the mount. What is written
# after that is safe.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o sync_on_close=no,journal=0
restart() {
  kill -9 "$tgt_pid"
  serve_again "$work/lun.img"
  wait_until 10 session_is "$mnt" up || fail "the session does not come back"
}
bounded 60 python3 - "$mnt" "$work" <<'PYTHON' &
import os, sys, time
mount, work = sys.argv[1:]
one = os.open(mount + "/disk", os.O_RDWR)
other = os.open(mount + "/disk", os.O_RDWR)
reader = os.open(mount + "/disk", os.O_RDONLY)
os.pwrite(one, b"flushed" * 512, 0)
os.fsync(one)
os.pwrite(one, b"at stake" * 512, 0)
open(work + "/written", "w").close()
while not os.path.exists(work + "/restarted"):
    time.sleep(0.05)
def failures(fd):
    count = 0
    for _ in range(3):
        try:
            os.fsync(fd)
        except OSError:
            count += 1
    return count
try:  # of a duplicate, as a child has it: it tells, and the next fsync tells nevertheless
    os.close(os.dup(one))
    assert False, "close of a duplicate"
except OSError:
    pass
assert failures(one) == 1, "first handle"
assert failures(other) == 1, "second handle"
os.pwrite(one, b"again" * 512, 0)
os.fsync(one)
assert failures(os.open(mount + "/disk", os.O_RDWR)) == 0, "opened afterwards"
assert failures(reader) == 0, "a reader"
PYTHON
writer=$!
wait_until 20 test -e "$work/written" || fail "nothing is written"
restart
touch "$work/restarted"
wait "$writer" || fail "fsync does not tell the truth"
status=0
said=$(bounded 60 "$LUNFS" -u "$mnt" 2>&1) || status=$?
assert_equal 1 "$status" "exit status of lunfs -u ($said)"
assert_contains "$said" 'acknowledged writes may have been lost' "lunfs -u"

mount_lunfs "$(lun_url)" "$mnt" -o journal=0
dd if=/dev/zero of="$mnt/disk" bs=64k count=4 conv=notrunc status=none
restart
dd if=/dev/zero of="$mnt/disk" bs=64k count=4 conv=notrunc,fsync status=none || fail "what was closed counts as lost"
bounded 60 "$LUNFS" -u "$mnt" || fail "what was closed counts as lost"
