#!/bin/bash
# SEEK_DATA never jumps over data, and finds the holes of a LUN that tells what is allocated. @short

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 96m plain
new_lv plain disk 16
new_lv plain other 4
lvm2 lvextend -l +16 plain/disk >/dev/null
save_layout "$work/layout"
close_lvm
random_file "$work/part" $((1 << 20))
for at in 3 15 16 30; do
  lv_bytes write "$work/layout" "$work/lun.img" disk $((at << 20)) <"$work/part"
done
lv_bytes read "$work/layout" "$work/lun.img" disk >"$work/model"

# data_ranges FILE: by lseek; fails where bytes outside of them are not zero
data_ranges() {
  bounded 60 python3 - "$1" "$work/model" <<'PYTHON'
import errno, os, sys
handle, size, at, ranges = os.open(sys.argv[1], os.O_RDONLY), os.path.getsize(sys.argv[1]), 0, []
while at < size:
    try: start = os.lseek(handle, at, os.SEEK_DATA)
    except OSError as failure:
        assert failure.errno == errno.ENXIO, failure
        break
    at = os.lseek(handle, start, os.SEEK_HOLE)
    assert start < at <= size, (start, at)
    ranges.append((start, at))
model = bytearray(open(sys.argv[2], "rb").read())
for start, end in ranges: model[start:end] = bytes(end - start)
assert not any(model), "data outside of what SEEK_DATA gives"
try: os.lseek(handle, size, os.SEEK_DATA); raise SystemExit("SEEK_DATA at the end gives something")
except OSError as failure: assert failure.errno == errno.ENXIO
print(sum(end - start for start, end in ranges))
PYTHON
}
mount_lunfs "$work/lun.img" "$mnt"
assert_equal $((4 << 20)) "$(data_ranges "$mnt/disk")" "bytes of data in the image file"
unmount "$mnt"

serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt"
found=$(data_ranges "$mnt/disk")
assert_less "$found" $(((32 << 20) + 1)) "bytes of data on the LUN"
assert_same_bytes "$mnt/disk" "$work/model" "contents"
