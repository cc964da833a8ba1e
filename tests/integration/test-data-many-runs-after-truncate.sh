#!/bin/bash
# A writer with O_TRUNC that skips more runs than the daemon remembers: what it skipped is zeros, what it wrote stays,
# and some of it is zeros before the close already. @timeout=300

. "$(dirname "$0")/functions.sh"

# More than fs/truncation.h's kMostRuns, 512 bytes each, one of 1 KiB left out behind each.
runs=67000
make_vg "$work/lun.img" 160m plain 1m
new_lv plain disk 112
save_layout "$work/layout"
close_lvm
random_file "$work/old" $((112 << 20))
lv_bytes write "$work/layout" "$work/lun.img" disk 0 <"$work/old"
mount_lunfs "$work/lun.img" "$mnt" -o cache=none
bounded 240 python3 - "$mnt/disk" "$runs" "$work/model" <<'PYTHON' || fail "writing with gaps"
import os, sys
path, runs, model = sys.argv[1], int(sys.argv[2]), sys.argv[3]
RUN, STRIDE = 512, 1536
data = os.urandom(RUN)
handle = os.open(path, os.O_RDWR | os.O_TRUNC)
for i in range(runs):
    assert os.pwrite(handle, data, i * STRIDE) == RUN
length = (runs - 1) * STRIDE + RUN
early = sum(os.pread(handle, 9, i * STRIDE + RUN) == bytes(9) for i in range(runs - 1))
print(f"zeros before the close: {early} gaps")
assert early >= runs - 65536, "the gaps beyond the bound are still there"
assert early < runs / 2, "nearly everything was zeroed at once"
os.close(handle)
with open(model, "wb") as file:
    for i in range(runs):
        file.write(data + bytes(STRIDE - RUN if i < runs - 1 else 0))
    assert file.tell() == length
PYTHON
end=$(stat -c %s "$work/model")
tail -c "+$((end + 1))" "$work/old" >>"$work/model"
assert_equal "$(sha256_of "$work/model")" "$(sha256_of "$mnt/disk")" "through the mount"
unmount "$mnt"
assert_equal "$(sha256_of "$work/model")" "$(lv_bytes sha256 "$work/layout" "$work/lun.img" disk)" "on the LUN"
