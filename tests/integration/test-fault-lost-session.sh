#!/bin/bash
# A connection that breaks in the middle of a write or read is replaced and nobody notices; one that breaks each time
# is EIO when timeout is over, never success without the bytes. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
random_file "$work/new" $((1 << 20))
for op in read write; do
  for action in drop_before drop_after; do
    mount_lunfs "$(proxy_url)" "$mnt" -o timeout=6
    rules "[{\"id\": \"$op $action once\", \"op\": \"$op\", \"action\": \"$action\", \"count\": 1}]"
    if [[ $op == read ]]; then
      bounded 20 dd if="$mnt/disk" of="$work/read" bs=64k count=16 iflag=direct status=none || fail "a read fails"
      assert_same_bytes "$work/read" <(head -c 1M "$work/lun.img.disk") "the read"
    else
      bounded 20 dd if="$work/new" of="$mnt/disk" bs=64k conv=notrunc oflag=direct status=none || fail "a write fails"
      assert_same_bytes "$work/new" <(head -c 1M "$mnt/disk") "the write ($action)"
    fi
    assert_equal 1 "$(outages_of "$mnt")" "outages ($op, $action)"

    rules "[{\"id\": \"$op $action\", \"op\": \"$op\", \"action\": \"$action\"}]"
    start=$SECONDS
    if [[ $op == read ]]; then
      assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k iflag=direct
    else
      assert_fails_with 'Input/output error' dd if=/dev/zero of="$mnt/disk" bs=64k conv=notrunc oflag=direct
    fi
    assert_less $((SECONDS - start)) 24 "seconds until EIO ($op, $action)"
    rules '[]'
    start=$SECONDS
    unmount "$mnt"
    assert_less $((SECONDS - start)) 20 "seconds to unmount ($op, $action)"
  done
done
