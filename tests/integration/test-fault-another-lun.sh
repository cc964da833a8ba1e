#!/bin/bash
# When another LUN, or the same with damaged LVM metadata, stands there after an outage or in the middle of a session,
# nothing is read from or written to it, and the log says why. One that has grown is the same. @timeout=240

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
cp --sparse=always "$work/lun.img" "$work/cut.img"
truncate -s -4M "$work/cut.img"
cp --sparse=always "$work/lun.img" "$work/grown.img"
truncate -s +1M "$work/grown.img"
cp --sparse=always "$work/lun.img" "$work/changed.img"
# In the metadata area's header, whose checksum is wrong then.
printf 'X' | dd of="$work/changed.img" bs=1 seek=$((4096 + 511)) conv=notrunc status=none

for other in cut changed; do
  [[ $other == cut ]] || serve_again "$work/lun.img"
  mount_lunfs "$(lun_url)" "$mnt"
  kill -9 "$tgt_pid"
  before=$(sha256_of "$work/$other.img")
  bounded 60 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc 2>"$work/dd.log" &
  writer=$!
  wait_until 10 in_flight "$mnt" || fail "no write comes"
  serve_again "$work/$other.img"
  wait $writer && fail "a write into $other.img succeeds"
  assert_contains "$(cat "$work/dd.log")" 'Input/output error' "dd ($other)"
  a_session_is "$mnt" refused || fail "status.json does not tell ($other)"
  assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
  assert_equal "$before" "$(sha256_of "$work/$other.img")" "the bytes of $other.img"
  end_after_loss "$mnt"
  kill -9 "$tgt_pid"
done
assert_contains "$(cat "$log")" 'another LUN stands at number 1 now' "the log"
assert_contains "$(cat "$log")" 'the LVM metadata of VG plain changed and is no later state of it: .*CRC' "the log"

# The LUN is taken away while the session lives, and another is put at its number. tgtd itself says nothing of that; a
# command that comes between the two is what tells.
serve_again "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
bounded 20 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc status=none
before=$(sha256_of "$work/cut.img")
tgt --op delete --mode logicalunit --tid 1 --lun 1
bounded 60 dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc 2>"$work/dd.log" &
writer=$!
wait_until 10 a_session_is "$mnt" lost || fail "a LUN that is gone is not noticed"
assert_contains "$(status_of "$mnt" | jq -r '.sessions[] | select(.state == "lost") | .lost_because')" 'has no LUN 1' "lost_because"
new_lun 1 1 "$work/cut.img"
wait $writer && fail "a write into another LUN succeeds"
a_session_is "$mnt" refused || fail "status.json does not tell (replaced)"
# Of several sessions one has met that it is gone; the others have met nothing, and must not use it either.
for ((i = 0; i < 2 * sessions_a_mount; i++)); do
  assert_fails_with 'Input/output error' dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct
  assert_fails_with 'Input/output error' dd if=/dev/urandom of="$mnt/disk" bs=64k count=1 oflag=direct conv=notrunc
done
assert_equal "$before" "$(sha256_of "$work/cut.img")" "the bytes of the LUN that was put there"
# The right one comes back: I/O works again by itself.
tgt --op delete --mode logicalunit --tid 1 --lun 1
new_lun 1 1 "$work/lun.img"
wait_until 20 session_is "$mnt" up || fail "the right LUN is not used again"
bounded 20 dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct status=none || fail "a read of the right LUN fails"
end_after_loss "$mnt"

# Grown during an outage.
mount_lunfs "$(lun_url)" "$mnt"
kill -9 "$tgt_pid"
serve_again "$work/grown.img"
wait_until 20 session_is "$mnt" up || fail "a LUN that has grown is refused"
bounded 20 dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct status=none || fail "a read of the grown LUN fails"
assert_equal "$(stat -c %s "$work/grown.img")" "$(status_of "$mnt" | jq '[.sessions[].size_bytes] | unique[]')" "the size in status.json"
