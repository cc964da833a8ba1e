#!/bin/bash
# Four sessions: SIGTERM, umount, lunfs -u and an abort of the connection end them all, under load too.

. "$(dirname "$0")/functions.sh"

requires fio
simple_vg "$work/lun.img"
serve "$work/lun.img"

begin() {
  mount_lunfs "$(lun_url)" "$mnt" -o sessions=4
  assert_equal 4 "$(sessions_of 1)" "sessions while mounted"
}
# load: readers and writers until the mount goes
load() {
  fio --name=load --directory="$mnt" --filename=disk:other --ioengine=libaio --direct=1 --iodepth=32 --bs=4k \
    --rw=randrw --time_based --runtime=60 --numjobs=2 --size=8m >"$work/load.log" 2>&1 &
  load_pid=$!
  note_process "$load_pid"
  wait_until 20 busy || fail "no load"
}
busy() { [[ $(status_of "$mnt" | jq .requests.read.ended) -gt 500 ]]; }
# ended HOW: neither a mount nor a daemon nor a session is left
ended() {
  wait_until 5 not_mounted "$mnt" || fail "$1: still mounted"
  gone "$1"
}
gone() {
  wait_until 20 no_daemon_of "$mnt" || fail "$1: the daemon lives"
  wait_until 5 no_session_left || fail "$1: a session is open at the target"
}

begin
random_file "$work/new" $((16 << 20))
dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc status=none
bounded 30 umount "$mnt"
ended umount
assert_equal "$(sha256_of "$work/new")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "the LUN"

begin
bounded 30 "$LUNFS" -u "$mnt" || fail "lunfs -u fails"
ended 'lunfs -u'

begin
load
kill -TERM "$(daemons_of "$mnt")"
ended 'SIGTERM under load'
wait "$load_pid" || true

begin
load
umount -f "$mnt" 2>/dev/null || true  # busy, but the connection is aborted
gone 'abort of the connection'
wait "$load_pid" || true
