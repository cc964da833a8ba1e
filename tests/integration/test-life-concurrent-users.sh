#!/bin/bash
# Readers and writers of several files at once, each finding its own bytes, while the mount is listed and asked.

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 200m plain
for i in 1 2 3 4 5 6; do new_lv plain "v$i" 12; done
save_layout "$work/layout"
close_lvm
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
for i in 1 2 3 4 5 6; do
  lv_bytes read "$work/layout" "$work/lun.img" "v$i" >"$work/model$i"
  (
    bounded 90 python3 "$tools/random_io.py" write "$mnt/v$i" "$work/model$i" 60 $((RANDOM + i)) &&
      bounded 90 python3 "$tools/random_io.py" read "$mnt/v$i" "$work/model$i" 60 $((RANDOM + i))
  ) &
  workers[i]=$!
done
for ((n = 0; n < 20; n++)); do
  bounded 10 ls -la "$mnt" "$mnt/.lunfs" >/dev/null || fail "ls under load"
  bounded 10 cat "$mnt/.lunfs/metrics" >/dev/null || fail "metrics under load"
  status_of "$mnt" | jq -e . >/dev/null || fail "status.json under load"
done
for i in 1 2 3 4 5 6; do wait "${workers[i]}" || fail "worker $i"; done
unmount "$mnt"
for i in 1 2 3 4 5 6; do
  assert_equal "$(sha256_of "$work/model$i")" "$(lv_bytes sha256 "$work/layout" "$work/lun.img" "v$i")" "v$i on the LUN"
done
