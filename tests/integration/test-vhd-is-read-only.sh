#!/bin/bash
# A VHD disk is read-only where a raw one may be written: mode 0444, EROFS on opening, and the log says why. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
sample=$data/xenserver/sr-sample.json
mount_lunfs "$work/lun.img" "$mnt" -o detached,umask=022
for uuid in $(jq -r '.vdis | to_entries[] | select(.value.kind == "vhd") | .key' "$sample"); do
  assert_equal 444 "$(stat -c %a "$mnt/$uuid.raw")" "mode of $uuid"
  # Opened and nothing else: a write would be refused as well.
  assert_fails_with 'Read-only file system' bash -c 'exec 3<>"$1"' open "$mnt/$uuid.raw"
  assert_fails_with 'Read-only file system' dd if=/dev/zero of="$mnt/$uuid.raw" count=1 conv=notrunc
  assert_fails_with 'Read-only file system|not permitted' truncate -s 0 "$mnt/$uuid.raw"
  assert_contains "$(grep -F "$uuid" "$log")" 'VHD' "log"
done
for uuid in $(jq -r '.vdis | to_entries[] | select(.value.kind == "raw") | .key' "$sample"); do
  assert_equal 644 "$(stat -c %a "$mnt/$uuid.raw")" "mode of the raw $uuid"
done
