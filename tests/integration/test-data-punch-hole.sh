#!/bin/bash
# Punched holes and zeroed ranges read as zeros, their neighbours stay, a thin LUN gets the space back. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
cp "$work/lun.img.disk" "$work/model"
serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt"
used=$(du -k "$work/lun.img" | cut -f1)

# both FALLOCATE_ARGS...: on the VDI and on its model
both() {
  bounded 30 fallocate "$@" "$mnt/disk" || fail "fallocate $*"
  fallocate "$@" "$work/model"
}
both -p -o 1M -l 4M
both -p -o 6000001 -l 77777
both -z -n -o 8M -l 1M
both -z -n -o 9999999 -l 123457
both -p -o 15M -l 1M
both -p -o 511 -l 1
sync "$mnt/disk"
assert_equal $((16 << 20)) "$(size_of "$mnt/disk")" "size"
assert_same_bytes "$mnt/disk" "$work/model" "through the mount"

# A hole past the end writes nothing: for a handle with O_TRUNC too, whose close then has nothing to zero.
bounded 30 python3 - "$mnt/disk" <<'PYTHON' || fail "a hole past the end, with O_TRUNC"
import ctypes, os, sys
handle = os.open(sys.argv[1], os.O_RDWR | os.O_TRUNC)
assert ctypes.CDLL(None).fallocate(handle, 3, ctypes.c_longlong(32 << 20), ctypes.c_longlong(4096)) == 0
os.close(handle)
PYTHON
assert_same_bytes "$mnt/disk" "$work/model" "after a hole past the end"
assert_equal "$(sha256_of "$work/model")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "on the LUN"
assert_less $(($(du -k "$work/lun.img" | cut -f1) + 4096)) $((used + 1)) "space used on the thin LUN, plus 4 MiB"
lv_bytes read "$work/lun.img.layout" "$work/lun.img" other | cmp - "$work/other" || fail "another LV was touched"

unmount "$mnt"
echo "a LUN without UNMAP: zeros are written"
tgt --op update --mode logicalunit --tid 1 --lun 1 --params thin_provisioning=0
mount_lunfs "$(lun_url)" "$mnt"
both -p -o 12M -l 1M
both -z -n -o 13000000 -l 500001
assert_same_bytes "$mnt/disk" "$work/model" "through the mount, thick"
