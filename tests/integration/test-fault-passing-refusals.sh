#!/bin/bash
# UNIT ATTENTION, BUSY and TASK SET FULL are sent again, with a bound: short ones are not noticed, endless ones are EIO. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
n=0
for fault in '"action": "busy"' '"action": "task_set_full"' '"action": "sense", "sense": [6, 41, 0]' '"action": "sense", "sense": [6, 63, 14]'; do
  ((n += 1))
  for op in write read; do
    rules "[{\"id\": \"$op$n\", \"op\": \"$op\", \"skip\": 1, \"count\": 2, $fault}]"
    before=$(disturbed)
    random_file "$work/new" $((4 << 20))
    bounded 60 dd if="$work/new" of="$mnt/disk" bs=1M conv=notrunc oflag=direct status=none || fail "write under $op $fault"
    bounded 60 dd if="$mnt/disk" of="$work/back" bs=1M count=4 iflag=direct status=none || fail "read under $op $fault"
    assert_same_bytes "$work/new" "$work/back" "$op $fault"
    lv_bytes read "$work/lun.img.layout" "$work/lun.img" disk 0 $((4 << 20)) | cmp - "$work/new" || fail "$op $fault: not on the LUN"
    [[ $(disturbed) -gt $before ]] || fail "$op $fault: the rule hit nothing"
  done
done
rules '[{"id": "for ever", "op": "read", "action": "busy"}]'
start=$SECONDS
assert_fails_with 'Input/output error|busy' dd if="$mnt/disk" of=/dev/null bs=4k count=1 iflag=direct
assert_less $((SECONDS - start)) 60 "seconds until an endless BUSY is an error"
rules '[]'
assert_same_bytes <(head -c 4M "$mnt/disk") "$work/new" "after the fault"
