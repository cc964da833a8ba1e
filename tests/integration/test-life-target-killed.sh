#!/bin/bash
# A target that dies under load and stays away: I/O fails with EIO when timeout is over, nothing hangs, umount works and the daemon ends. @short

. "$(dirname "$0")/functions.sh"

requires fio
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt" -o timeout=3
jobs=()
for job in randread randwrite; do
  bounded 60 fio --name=$job --filename="$mnt/disk" --rw=$job --bs=4k --iodepth=16 --ioengine=libaio --direct=1 \
    --time_based --runtime=30 --minimal >"$work/fio-$job.log" 2>&1 &
  jobs+=($!)
done
wait_until 30 has_served "$mnt" 200 read write || fail "fio does not get going"
kill -9 "$tgt_pid"
start=$SECONDS
for job in "${jobs[@]}"; do
  if wait "$job"; then fail "fio met no error"; fi
done
assert_less $((SECONDS - start)) 10 "seconds until fio had its errors"
assert_contains "$(cat "$work"/fio-*.log)" 'Input/output error' "fio's error"
assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct
assert_fails_with 'Input/output error' dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc oflag=direct
bounded 5 ls -la "$mnt" >/dev/null || fail "ls waits for the network"
bounded 5 df "$mnt" >/dev/null || fail "df waits for the network"
assert_contains "$(status_of "$mnt")" 'false|lost|down|disconnected' "status.json"
start=$SECONDS
unmount "$mnt"
assert_less $((SECONDS - start)) 20 "seconds to unmount"
