#!/bin/bash
# qemu-img converts into and out of a VDI; raw and qcow2 images come out equal. @short

. "$(dirname "$0")/functions.sh"

requires qemu-img
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"

qemu_img() { bounded 60 qemu-img "$@"; }
qemu_img convert -f raw -O qcow2 "$mnt/disk" "$work/out.qcow2"
qemu_img compare -f raw -F qcow2 "$work/lun.img.disk" "$work/out.qcow2"

# A source with data, zeros and holes: what it does not hold must read as zeros afterwards.
truncate -s 16m "$work/new"
random_file "$work/part" 3000000
dd if="$work/part" of="$work/new" bs=1M seek=2 conv=notrunc status=none
dd if=/dev/zero of="$work/new" bs=1M seek=9 count=2 conv=notrunc status=none
dd if="$work/part" of="$work/new" bs=1M seek=12 conv=notrunc status=none
qemu_img convert -f raw -O qcow2 "$work/new" "$work/new.qcow2"
for cache in none writeback; do
  lv_bytes write "$work/lun.img.layout" "$work/lun.img" disk 0 <"$work/lun.img.disk"
  unmount "$mnt"
  mount_lunfs "$(lun_url)" "$mnt"
  qemu_img convert -n -t $cache -f qcow2 -O raw "$work/new.qcow2" "$mnt/disk"
  assert_equal $((16 << 20)) "$(size_of "$mnt/disk")" "size after convert -n -t $cache"
  qemu_img compare -f raw -F raw "$work/new" "$mnt/disk"
  assert_equal "$(sha256_of "$work/new")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "on the LUN"
done
