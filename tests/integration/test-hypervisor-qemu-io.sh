#!/bin/bash
# QEMU's disk path, cache=none with native, threads and io_uring: what it writes lies on the extents. @short

. "$(dirname "$0")/functions.sh"

requires qemu-io
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
number=0x30
for aio in native threads io_uring; do
  ((number += 1))
  said=$(bounded 60 qemu-io -f raw -t none -i $aio \
    -c "aio_write -P $number 1M 1M" -c "aio_write -P $number 3M 64k" -c "aio_write -P $number 9M 2M" -c aio_flush \
    -c "write -P $number 512 512" -c "read -P $number 1M 1M" -c "read -P $number 9M 2M" -c "read -P $number 512 512" \
    -c "write -z 5M 1M" -c "read -P 0 5M 1M" -c "discard 6M 1M" -c flush "$mnt/disk" 2>&1) || fail "$aio: $said"
  assert_lacks "$said" 'failed|error' "$aio"
  for piece in '1048576 1048576' '3145728 65536' '9437184 2097152' '512 512'; do
    # shellcheck disable=SC2086
    lv_bytes read "$work/lun.img.layout" "$work/lun.img" disk $piece | tr -d "\\$(printf %o $number)" | wc -c | grep -qx 0 ||
      fail "$aio: not the pattern at $piece of the LV"
  done
done
lv_bytes read "$work/lun.img.layout" "$work/lun.img" other | cmp - "$work/other" || fail "another LV was touched"
