#!/bin/bash
# SIGTERM to the daemon writes the dirty pages of files that are mapped, as umount(8) does. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
bounded 30 python3 - "$mnt" <<'PYTHON' || fail "the daemon does not end"
import json, mmap, os, signal, sys, time
mount = sys.argv[1]
pid = json.load(open(mount + "/.lunfs/status.json"))["pid"]
fd = os.open(mount + "/disk", os.O_RDWR)
pages = mmap.mmap(fd, 8192)
pages[4096:4102] = b"mapped"
os.kill(pid, signal.SIGTERM)
for _ in range(200):
    try:
        if open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z":
            sys.exit(0)
    except FileNotFoundError:
        sys.exit(0)
    time.sleep(0.1)
sys.exit(1)
PYTHON
mount_lunfs "$work/lun.img" "$mnt" -o ro
assert_equal mapped "$(dd if="$mnt/disk" bs=1 skip=4096 count=6 status=none)" "what was written through the mapping"
