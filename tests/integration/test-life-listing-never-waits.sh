#!/bin/bash
# ls, stat, df and status.json answer from memory while the target is silent; what waits for it goes on afterwards.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
kill -STOP "$tgt_pid"
on_exit kill -CONT "$tgt_pid"
bounded 60 dd if="$mnt/disk" of="$work/late" bs=1M count=1 iflag=direct status=none &
reader=$!
for ((i = 0; i < 10; i++)); do
  bounded 2 ls -la "$mnt" "$mnt/.lunfs" "$mnt/.lunfs/lv" >/dev/null || fail "ls waits"
  bounded 2 stat "$mnt/other" >/dev/null || fail "stat waits"
  bounded 2 df "$mnt" >/dev/null || fail "df waits"
  bounded 2 cat "$mnt/.lunfs/status.json" >/dev/null || fail "status.json waits"
done
process_gone $reader && fail "the read did not wait for the target"
kill -CONT "$tgt_pid"
wait $reader || fail "the read fails although the target is back"
assert_same_bytes "$work/late" <(head -c 1M "$work/lun.img.disk") "the late read"
