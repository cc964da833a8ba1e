#!/bin/bash
# A target that stops answering wedges nobody for longer than timeout: EIO, umount works. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o timeout=5
rules '[{"id": "silence", "op": "read", "action": "mute"}]'
start=$SECONDS
assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct
assert_less $((SECONDS - start)) 20 "seconds until EIO"
rules '[]'
unmount "$mnt"

mount_lunfs "$(proxy_url)" "$mnt" -o timeout=5
kill -STOP "$tgt_pid"
bounded 60 dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct >"$work/dd.log" 2>&1 &
reader=$!
wait_until 10 in_flight "$mnt" || fail "no read comes"
start=$SECONDS
bounded 60 umount -l "$mnt" || fail "umount hangs"
wait $reader && fail "a read without a target succeeds"
wait_until 40 no_daemon_of "$mnt" || fail "the daemon lives"
assert_less $((SECONDS - start)) 45 "seconds until all was over"
