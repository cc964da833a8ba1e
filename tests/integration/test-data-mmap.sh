#!/bin/bash
# A shared mapping reads and writes a VDI; msync brings it to the LUN.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
bounded 60 python3 - "$mnt/disk" "$work/lun.img.disk" <<'PYTHON'
import mmap, os, sys
mapped = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)
model = open(sys.argv[2], "r+b").read()
assert mapped[:] == model
mapped[5_000_001:5_000_021] = b"written by a mapping"
mapped[0:4] = b"head"
mapped[-4:] = b"tail"
mapped.flush()
new = bytearray(model)
new[5_000_001:5_000_021], new[0:4], new[-4:] = b"written by a mapping", b"head", b"tail"
open(sys.argv[2], "wb").write(new)
PYTHON
assert_equal "$(sha256_of "$work/lun.img.disk")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "on the LUN"
