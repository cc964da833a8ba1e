#!/bin/bash
# A connection that breaks in the middle of a write or read: EIO at once in this version, never success without the bytes.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
for op in read write; do
  for action in drop_before drop_after; do
    mount_lunfs "$(proxy_url)" "$mnt"
    rules "[{\"id\": \"$op $action\", \"op\": \"$op\", \"action\": \"$action\"}]"
    start=$SECONDS
    if [[ $op == read ]]; then
      assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k iflag=direct
    else
      assert_fails_with 'Input/output error' dd if=/dev/zero of="$mnt/disk" bs=64k conv=notrunc oflag=direct
    fi
    assert_less $((SECONDS - start)) 10 "seconds until EIO ($op, $action)"
    rules '[]'
    start=$SECONDS
    unmount "$mnt"
    assert_less $((SECONDS - start)) 20 "seconds to unmount ($op, $action)"
  done
done
