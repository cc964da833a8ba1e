#!/bin/bash
# A write over the end of a VDI is short, one beyond it is ENOSPC; the size stays. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
for cache in auto none; do
  mount_lunfs "$(lun_url)" "$mnt" -o cache=$cache
  bounded 60 python3 - "$mnt/disk" <<'PYTHON'
import errno, os, sys
handle = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(handle).st_size
def expect(what, expected, found):
    if expected != found: raise SystemExit(f"{what}: expected {expected}, found {found}")
def written(length, offset):
    try: return os.pwrite(handle, bytes(length), offset)
    except OSError as failure: return errno.errorcode[failure.errno]
expect("over the end", 100, written(1000, size - 100))
expect("over the end, long", 1 << 20, written(3 << 20, size - (1 << 20)))
expect("at the end", "ENOSPC", written(1, size))
expect("far behind", "ENOSPC", written(4096, size + (1 << 40)))
expect("the last byte", 1, written(1, size - 1))
expect("read at the end", b"", os.pread(handle, 10, size))
expect("read over the end", 10, len(os.pread(handle, 100, size - 10)))
append = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
try: expect("append", "ENOSPC", os.write(append, b"x"))
except OSError as failure: expect("append", errno.ENOSPC, failure.errno)
expect("size", size, os.fstat(handle).st_size)
PYTHON
  assert_fails_with 'No space left' dd if=/dev/zero of="$mnt/disk" bs=1M count=17
  assert_equal $((16 << 20)) "$(size_of "$mnt/disk")" "size"
  unmount "$mnt"
  lv_bytes read "$work/lun.img.layout" "$work/lun.img" other | cmp - "$work/other" || fail "the LV behind was written"
done
