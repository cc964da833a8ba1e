#!/bin/bash
# With detached the first write goes out after the metadata was read twice, 5 s apart; later writes at once. @short

. "$(dirname "$0")/functions.sh"

simple_sr "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt" -o detached
random_file "$work/new" $((16 << 20))
bounded 60 dd if="$work/new" of="$mnt/$disk_uuid.raw" bs=1M conv=notrunc status=none || fail "the first write fails"
assert_equal "$(sha256_of "$work/new")" \
  "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" "LV-$disk_uuid")" "on the LUN"
# Sector 8 (byte 4096) is the metadata header.
looks=$(jq -s '(map(select(.class == "write"))[0].time) as $first |
  [.[] | select(.class == "read" and .lba <= 8 and .lba + .blocks > 8 and .time < $first) | .time] |
  {count: length, apart: (last - first)}' "$work/trace.json")
jq -e '.count >= 2 and .apart >= 4.9' <<<"$looks" >/dev/null || fail "looks before the first write: $looks"
start=$SECONDS
dd if=/dev/zero of="$mnt/$other_uuid.raw" bs=64k count=1 conv=notrunc,fsync status=none
assert_less $((SECONDS - start)) 4 "seconds of a later write"
