#!/bin/bash
# ftruncate to a smaller size is EPERM, to a larger one refused as well; the log says why. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
size=$(size_of "$mnt/disk")
for smaller in 0 4096 $((size - 1)); do
  assert_fails_with 'Operation not permitted' truncate -s "$smaller" "$mnt/disk"
done
assert_fails_with 'not supported|Read-only|not permitted' truncate -s $((size + 1)) "$mnt/disk"
assert_fails_with 'not supported|Read-only|not permitted' fallocate -o "$size" -l 4096 "$mnt/disk"
bounded 10 truncate -s "$size" "$mnt/disk" || fail "truncate to the size that it has"
assert_equal "$size" "$(size_of "$mnt/disk")" "size"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "contents"
assert_contains "$(cat "$log")" 'shrink|smaller|size' "log"
