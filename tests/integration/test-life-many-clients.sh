#!/bin/bash
# 200 clients with 64 open files each: every block is right, memory stays bounded, and the mount answers meanwhile.
# LUNFS_TEST_SECONDS makes it longer. @timeout=240

. "$(dirname "$0")/functions.sh"

seconds=${LUNFS_TEST_SECONDS:-20}
make_vg "$work/lun.img" 220m plain
for i in 1 2 3 4; do new_lv plain "v$i" 26; done
for i in 1 2 3 4; do lvm2 lvextend -l +26 "plain/v$i" >/dev/null; done
save_layout "$work/layout"
close_lvm
mkdir "$work/models"
for i in 1 2 3 4; do truncate -s 52m "$work/models/v$i"; done
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
daemon=$(daemons_of "$mnt")

python3 "$tools/many_clients.py" "$work/models" "$seconds" 200 64 "$mnt"/v{1,2,3,4} >"$work/clients.out" 2>"$work/clients.log" &
clients=$!
note_process "$clients"
most_kb=0
while ! process_gone "$clients"; do
  status_of "$mnt" | jq -e . >/dev/null || fail "status.json under load"
  bounded 10 ls -l "$mnt" >/dev/null || fail "ls under load"
  kb=$(awk '/^VmRSS:/ {print $2}' "/proc/$daemon/status")
  ((kb <= most_kb)) || most_kb=$kb
  sleep 0.5
done
wait "$clients" || fail "a client met an error: $(head -n 3 "$work/clients.log")"
echo "$(cat "$work/clients.out"), at most $most_kb kB resident"
# 40 MB, and the most that may be in flight: 64 MiB.
assert_less "$most_kb" $((40000 + 65536)) "kB resident"
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
for i in 1 2 3 4; do
  assert_equal "$(sha256_of "$work/models/v$i")" "$(lv_bytes sha256 "$work/layout" "$work/lun.img" "v$i")" "v$i on the LUN"
done
