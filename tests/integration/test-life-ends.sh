#!/bin/bash
# umount, lunfs -u, SIGTERM and SIGINT flush, log out and end the daemon; what was written is on the LUN. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy

# ended HOW: no mount, no daemon, no session; a logout was sent, not just a closed connection
ended() {
  wait_until 20 no_daemon_of "$mnt" || fail "$1: the daemon lives"
  wait_until 5 not_mounted "$mnt" || fail "$1: still mounted"
  wait_until 5 no_session_left || fail "$1: a session is open at the target"
  assert_equal "$sessions_a_mount" "$(jq -s '[.[] | select(.event == "logout")] | length' "$work/trace.json")" "$1: logouts"
  assert_equal "$(sha256_of "$work/new")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "$1: the LUN"
}
begin() {
  : >"$work/trace.json"
  mount_lunfs "$(proxy_url)" "$mnt"
  assert_equal "$sessions_a_mount" "$(sessions_of 1)" "sessions while mounted"
  random_file "$work/new" $((16 << 20))
  dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc status=none
}
begin
bounded 30 umount "$mnt"
ended umount

begin
bounded 30 "$LUNFS" -u "$mnt" || fail "lunfs -u fails"
not_mounted "$mnt" || fail "lunfs -u returned, but it is mounted"
no_daemon_of "$mnt" || fail "lunfs -u returned before the daemon ended"
ended 'lunfs -u'

for signal in TERM INT; do
  begin
  kill -$signal "$(daemons_of "$mnt")"
  ended "SIG$signal"
done
