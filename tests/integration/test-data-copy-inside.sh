#!/bin/bash
# copy_file_range between and inside VDIs copies the right bytes to the right place.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
cp "$work/lun.img.disk" "$work/model"
cp "$work/other" "$work/model-other"
bounded 60 python3 - "$mnt" "$work" <<'PYTHON'
import os, random, sys
mnt, work = sys.argv[1:]
disk, other = (os.open(f"{mnt}/{name}", os.O_RDWR) for name in ("disk", "other"))
disk_model, other_model = (os.open(f"{work}/{name}", os.O_RDWR) for name in ("model", "model-other"))
def copy(source, target, length, at, to):
    while length:
        done = os.copy_file_range(source, target, length, at, to)
        assert done > 0
        length, at, to = length - done, at + done, to + done
chance = random.Random(1)
for _ in range(20):
    length, at = chance.randrange(1, 3 << 20), chance.randrange(12 << 20)
    to = chance.randrange(5 << 20)
    copy(disk, other, length, at, to)
    copy(disk_model, other_model, length, at, to)
copy(other, disk, 2 << 20, 100, 13 << 20)
copy(other_model, disk_model, 2 << 20, 100, 13 << 20)
copy(disk, disk, 1 << 20, 0, 7 << 20)
copy(disk_model, disk_model, 1 << 20, 0, 7 << 20)
for handle in (disk, other): os.fsync(handle)
PYTHON
assert_equal "$(sha256_of "$work/model")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "disk"
assert_equal "$(sha256_of "$work/model-other")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" other)" "other"
