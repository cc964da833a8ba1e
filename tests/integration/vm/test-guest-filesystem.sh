#!/bin/bash
# A Linux guest with a VDI as its disk makes a file system, writes, syncs and powers off; all that
# it wrote is on the LUN. @timeout=300

. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"

requires_guest
requires mke2fs e2fsck debugfs
make_sr "$work/lun.img" 512m
disk_uuid=$(new_uuid)
new_lv "$vg" MGT 1
new_lv "$vg" "LV-$disk_uuid" 10
new_lv "$vg" between 3
lvm2 lvextend -l +14 "$vg/LV-$disk_uuid" >/dev/null
save_layout "$work/layout"
close_lvm
prepare_kernel

cat >"$work/script" <<'GUEST'
set -e
/own/mke2fs -q -t ext4 -F /dev/vda
mount -t ext4 /dev/vda /mnt
mkdir /mnt/folder
dd if=/dev/urandom of=/mnt/large bs=1M count=24 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9; do dd if=/dev/urandom of=/mnt/folder/$i bs=1000 count=$i 2>/dev/null; done
# In place, out of order, over what is there already.
for i in 17 3 11 5; do dd if=/dev/urandom of=/mnt/large bs=1M seek=$i count=1 conv=notrunc 2>/dev/null; done
echo written >/mnt/mark
sync
cd /mnt && for f in large folder/* mark; do echo "sum $(sha256sum $f)"; done
# No umount: what sync promised must be enough.
GUEST
make_initramfs "$work/initramfs.gz" "$work/script" "virtio_pci virtio_blk ext4 crc32c_generic" mke2fs

serve "$work/lun.img" 512 thin
mount_lunfs "$(lun_url)" "$mnt" -o detached
run_guest 200 "$work/initramfs.gz" \
  -drive "file=$mnt/$disk_uuid.raw,format=raw,if=none,id=disk,cache=none,aio=io_uring,discard=unmap" \
  -device virtio-blk-pci,drive=disk
unmount "$mnt"

lv_bytes read "$work/layout" "$work/lun.img" "LV-$disk_uuid" >"$work/disk"
# The guest pulled its own plug: replaying the journal is what a next boot would do.
status=0
e2fsck -fy "$work/disk" >"$work/e2fsck.log" 2>&1 || status=$?
((status <= 1)) || fail "e2fsck ends with $status: $(cat "$work/e2fsck.log")"
files=$(sed -n 's/^sum //p' <<<"$guest_said")
assert_equal 11 "$(grep -c . <<<"$files")" "files that the guest named"
while read -r sum file; do
  debugfs -R "dump $file $work/dumped" "$work/disk" 2>/dev/null
  assert_equal "$sum" "$(sha256_of "$work/dumped")" "$file on the LUN"
done <<<"$files"
