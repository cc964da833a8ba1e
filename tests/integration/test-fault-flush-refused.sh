#!/bin/bash
# A flush that the target refuses fails the fsync, whatever the reason, and later flushes are sent as ever; a
# deferred error on an acknowledged write fails every later fsync.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
write_and_sync() { dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc,fsync 2>&1; }

write_and_sync >/dev/null || fail "fsync fails without a fault"
# LOGICAL UNIT NOT SUPPORTED: what arrays answer while a LUN is being moved, not "unknown command"
rules '[{"id": "1", "op": "flush", "action": "sense", "sense": [5, 37, 0]}]'
if said=$(write_and_sync); then fail "fsync succeeds although the flush was refused"; fi
assert_contains "$said" 'Input/output error' "fsync of a refused flush"
rules '[]'
flushes() { grep -c '"class": "flush"' "$work/trace.json" || true; }
before=$(flushes)
write_and_sync >/dev/null || fail "fsync after the fault"
(($(flushes) > before)) || fail "no flush is sent any more after one was refused"
# MEDIUM ERROR, deferred: it speaks of a write that was acknowledged. Once: of several sessions one may hear it that
# looks at the LUN again, after what was said above, and that has to end.
rules '[{"id": "2", "op": "read", "action": "sense", "sense": [3, 12, 0], "deferred": true, "count": 1}]'
dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null || true
rules '[]'
for _ in 1 2; do
  if said=$(write_and_sync); then fail "fsync succeeds although an acknowledged write was lost"; fi
done
