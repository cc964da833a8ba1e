#!/bin/bash
# As root, a daemon that serves has no capability in any of its threads, cannot gain one, and still does its work to the
# end; its watcher has what unmounting takes and nothing else. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"

# rights_of PID: one line for each different set among the threads
rights_of() {
  local status
  for status in /proc/"$1"/task/*/status; do
    awk '/^Cap|^NoNewPrivs/ { printf "%s%s ", $1, $2 }' "$status"
    echo
  done | sort -u
}
# Two mounts: on a LUN, and on an image whose reads and writes go through the pool of threads.
for source in "$(lun_url)" "$work/lun.img"; do
  mount_lunfs "$source" "$mnt"
  pid=$(daemons_of "$mnt")
  assert_less 1 "$(ls "/proc/$pid/task" | wc -l)" "threads"
  none=0000000000000000
  assert_equal "CapInh:$none CapPrm:$none CapEff:$none CapBnd:$none CapAmb:$none NoNewPrivs:1 " "$(rights_of "$pid")" "the daemon's rights"
  mounting=0000000000200004 # CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH
  assert_equal "CapInh:$none CapPrm:$mounting CapEff:$mounting CapBnd:$none CapAmb:$none NoNewPrivs:0 " \
    "$(rights_of "$(watchers_of "$mnt")")" "the watcher's rights"

  random_file "$work/new" $((16 << 20))
  dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc,fsync status=none || fail "cannot write"
  fallocate --punch-hole --offset 1M --length 1M "$mnt/disk" || fail "cannot punch a hole"
  dd if="$work/new" of="$mnt/disk" bs=1M skip=1 seek=1 count=1 conv=notrunc,fsync status=none || fail "cannot write again"
  assert_contains "$(status_of "$mnt")" '"read_only": false' "status.json"
  kill -TERM "$pid"
  wait_until 20 no_process_of "$mnt" || fail "the daemon does not end"
  not_mounted "$mnt" || fail "still mounted"
  assert_equal "$(sha256_of "$work/new")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "the LUN"
done
assert_equal "" "$(find /run/lunfs -name "*-$pid.sock" 2>/dev/null)" "control sockets left behind"

# Root's rights are used before they are given up: a directory and an image that are another user's.
mkdir -m 700 "$work/others" "$work/others/mnt"
cp --sparse=always "$work/lun.img" "$work/others/lun.img"
chmod 600 "$work/others/lun.img"
chown -R 65534:65534 "$work/others"
mount_lunfs "$work/others/lun.img" "$work/others/mnt"
assert_contains "$(status_of "$work/others/mnt")" '"read_only": false' "status.json"
kill -KILL "$(daemons_of "$work/others/mnt")"
wait_until 20 no_process_of "$work/others/mnt" || fail "the watcher does not end"
not_mounted "$work/others/mnt" || fail "still mounted after SIGKILL"
