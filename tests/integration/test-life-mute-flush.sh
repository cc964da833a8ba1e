#!/bin/bash
# A target that does not answer the last flush holds up the end of a mount for half a minute, not for ever, though
# timeout=0 lets I/O wait for ever; who unmounts is told. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o timeout=0,sync_on_close=no
dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc status=none
rules '[{"id": "silence", "op": "flush", "action": "mute"}]'
start=$SECONDS
status=0
mount_said=$(bounded 90 "$LUNFS" -u "$mnt" 2>&1) || status=$?
assert_less $((SECONDS - start)) 60 "seconds until the end"
assert_equal 1 "$status" "exit status of lunfs -u ($mount_said)"
tells "$mnt: unmounted, but not everything written is known to be durable \(4096 bytes of disk\): no answer to the last flush for 30 s" \
  'the session was lost before everything was durable' 'check what was written last; see the log'
wait_until 20 no_daemon_of "$mnt" || fail "the daemon lives"
