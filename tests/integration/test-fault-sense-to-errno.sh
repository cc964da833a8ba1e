#!/bin/bash
# What a target says becomes the right errno, for that request only, and stands in the log by its T10 name.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
write_one() { dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc oflag=direct; }
read_one() { dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct; }
expected=0
# expect OP FAULT ERROR LOG
expect() {
  ((++expected))
  rules "[{\"id\": \"$expected\", \"op\": \"$1\", $2}]"
  local said
  if said=$("$1_one" 2>&1); then fail "$1 under $2 succeeds"; fi
  assert_contains "$said" "$3" "$1 under $2"
  assert_contains "$(cat "$log")" "$4" "log of $1 under $2"
  rules '[]'
  "$1_one" 2>/dev/null || fail "$1 after $2"
}
expect read '"action": "sense", "sense": [3, 17, 0]' 'Input/output error' 'MEDIUM.ERROR|UNRECOVERED'
expect write '"action": "sense", "sense": [3, 12, 0]' 'Input/output error' 'MEDIUM.ERROR|WRITE ERROR'
expect write '"action": "sense", "sense": [7, 39, 7]' 'No space left' 'SPACE|27/?07|0x2707'
expect write '"action": "sense", "sense": [7, 39, 0]' 'Read-only|not permitted|Input/output' 'WRITE.PROTECT|DATA.PROTECT'
expect write '"action": "conflict"' 'busy|Input/output' 'RESERVATION.CONFLICT|reserv'
# Offline: nothing that passes by itself
expect read '"action": "sense", "sense": [2, 4, 3]' 'busy' 'NOT.READY'
