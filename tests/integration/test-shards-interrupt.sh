#!/bin/bash
# Four sessions: who interrupts a request that waits gets out at once, whichever thread the interrupt came to.

. "$(dirname "$0")/functions.sh"

simple_sr "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o detached,cache=none,sessions=4

# The first write waits until 5 s have passed since the first look at the SR.
python3 - "$mnt/$disk_uuid.raw" "$mnt/.lunfs/status.json" <<'END' || fail "a writer was not interrupted"
import json, os, signal, sys, time

WRITERS = 6
signal.signal(signal.SIGINT, signal.SIG_DFL)  # the writers' too, from their first moment

def start_writer(path):
    pid = os.fork()
    if pid:
        return pid
    os.pwrite(os.open(path, os.O_RDWR), bytes(4096), 0)
    os._exit(3)  # written: too late

def all_wait(status):
    with open(status, encoding="utf-8") as text:
        return json.load(text)["requests"]["in_flight"] >= WRITERS

until = time.monotonic() + 2
slowest, count, waited = 0.0, 0, 0
while time.monotonic() < until:
    writers = [start_writer(sys.argv[1]) for _ in range(WRITERS)]
    while not all_wait(sys.argv[2]) and time.monotonic() < until:
        time.sleep(0.01)
    waited += all_wait(sys.argv[2])
    begun = time.monotonic()
    for writer in writers:
        os.kill(writer, signal.SIGINT)
    for writer in writers:
        _, status = os.waitpid(writer, 0)
        count += 1
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3:
            sys.exit("the write was done after all")
    slowest = max(slowest, time.monotonic() - begun)
print(f"{count} writers, {waited} times all waited, the slowest gone after {slowest:.2f} s")
sys.exit(waited == 0 or slowest > 1.0)
END
dd if=/dev/zero of="$mnt/$disk_uuid.raw" bs=4k count=1 conv=notrunc,fsync status=none || fail "a later write fails"
