#!/bin/bash
# When another LUN, or the same with other LVM metadata, stands there after an outage, nothing is read from or written
# to it, and the log says why. @timeout=180

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
cp --sparse=always "$work/lun.img" "$work/grown.img"
truncate -s +1M "$work/grown.img"
cp --sparse=always "$work/lun.img" "$work/changed.img"
# A commit of another host would rewrite the metadata area's header; the second sector of 4096.
printf 'X' | dd of="$work/changed.img" bs=1 seek=$((4096 + 511)) conv=notrunc status=none

for other in grown changed; do
  [[ $other == grown ]] || serve_again "$work/lun.img"
  mount_lunfs "$(lun_url)" "$mnt"
  kill -9 "$tgt_pid"
  before=$(sha256_of "$work/$other.img")
  bounded 60 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc 2>"$work/dd.log" &
  writer=$!
  wait_until 10 in_flight "$mnt" || fail "no write comes"
  serve_again "$work/$other.img"
  wait $writer && fail "a write into $other.img succeeds"
  assert_contains "$(cat "$work/dd.log")" 'Input/output error' "dd ($other)"
  session_is "$mnt" refused || fail "status.json does not tell ($other)"
  assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
  assert_equal "$before" "$(sha256_of "$work/$other.img")" "the bytes of $other.img"
  bounded 60 "$LUNFS" -u "$mnt" || true
  kill -9 "$tgt_pid"
done
assert_contains "$(cat "$log")" 'another LUN stands at number 1 now' "the log"
assert_contains "$(cat "$log")" 'the LVM metadata of VG .* changed while the session was lost' "the log"
