#!/bin/bash
# The fault proxy itself, with another initiator: refused writes leave no trace, Data-Out of any length is swallowed.

. "$(dirname "$0")/functions.sh"

requires qemu-io
truncate -s 32m "$work/lun.img"
serve "$work/lun.img"
start_proxy
qemu_io() { bounded 30 qemu-io -f raw "$@" "$(proxy_url)" 2>&1; }
for size in 512 8k 64k 256k 1M 3M; do
  rules "[{\"id\": \"refuse $size\", \"op\": \"write\", \"action\": \"sense\", \"sense\": [7, 39, 7]}]"
  said=$(qemu_io -c "write -P 0xaa 1M $size" || true)
  assert_contains "$said" 'No space left' "a refused write of $size"
  cmp -n $((4 << 20)) -i 1048576:0 "$work/lun.img" /dev/zero || fail "the refused write of $size was executed"
done
rules '[{"id": "busy", "op": "write", "count": 2, "action": "busy"}]'
qemu_io -c 'write -P 0xbb 1M 1M' -c 'read -P 0xbb 1M 1M' || fail "BUSY twice"
rules '[{"id": "drop", "op": "write", "count": 1, "action": "drop_after"}]'
qemu_io -c 'write -P 0xcc 1M 1M' -c 'read -P 0xcc 1M 1M' || fail "dropped once"
[[ $(commands_seen write) -ge 10 && $(disturbed) -ge 9 ]] || fail "trace: $(commands_seen write) writes, $(disturbed) disturbed"
