#!/bin/bash
# A command that the target swallows, executed or not, goes out again in time: its caller meets no error, and the data
# is right. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
without_cache
start_proxy
random_file "$work/new" $((64 << 10))
# One of the disk's own: lunfs looks at the metadata of the VG, too. Its caller waits half of timeout, the look at the
# clock once a second and the login; three times that is allowed.
swallow_once() { # ACTION OP
  rules "[{\"id\": \"$1 $2\", \"op\": \"$2\", \"lba\": [2048, 2175], \"action\": \"$1\", \"count\": 1}]"
  start=$SECONDS
}
for action in mute mute_after; do
  mount_lunfs "$(proxy_url)" "$mnt" -o timeout=6
  swallow_once "$action" read
  bounded 30 dd if="$mnt/disk" of="$work/read" bs=64k count=1 iflag=direct status=none || fail "$action: the read fails"
  assert_less $((SECONDS - start)) 15 "seconds until the bytes ($action)"
  assert_same_bytes "$work/read" <(head -c 64k "$work/lun.img.disk") "the read ($action)"
  swallow_once "$action" write
  bounded 30 dd if="$work/new" of="$mnt/disk" bs=64k conv=notrunc,fsync oflag=direct status=none || fail "$action: the write fails"
  assert_less $((SECONDS - start)) 15 "seconds until the write ended ($action)"
  assert_equal 2 "$(outages_of "$mnt")" "sessions given up ($action)"
  assert_same_bytes "$work/new" <(head -c 64k "$mnt/disk") "the write ($action)"
  dd if="$work/lun.img.disk" of="$mnt/disk" bs=64k count=1 conv=notrunc status=none
  rules '[]'
  bounded 60 "$LUNFS" -u "$mnt" || fail "$action: lunfs -u tells of a loss"
done
