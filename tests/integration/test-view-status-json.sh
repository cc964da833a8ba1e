#!/bin/bash
# status.json is JSON and tells session, VG, what is not shown and why; metrics are in the Prometheus format. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
status_of "$mnt" >"$work/status.json"
jq -e . "$work/status.json" >/dev/null || fail "status.json is no JSON: $(cat "$work/status.json")"
text=$(jq . "$work/status.json")
assert_contains "$text" "127.0.0.1:$tgt_port" "the portal"
assert_contains "$text" "$iqn" "the target"
assert_contains "$text" "VG_XenStorage-c2a7af9e-ab79-4005-add1-77d2c700d84c" "the VG"
assert_contains "$text" "detached" "the option that would allow writing"
jq -e '.not_shown | length > 0 and all(.[]; .reason | length > 5)' "$work/status.json" >/dev/null ||
  fail "not_shown has no reasons: $text"
jq -r '.vdis | to_entries[] | "\(.key) \(.value.kind) \(.value.size)"' "$data/xenserver/sr-sample.json" |
  while read -r uuid kind size; do
    jq -e --arg file "$uuid.raw" --arg kind "$kind" --argjson size "$size" \
      'any(.volumes[]; .file == $file and .kind == $kind and .size_bytes == $size and .allocated_bytes <= $size)' \
      "$work/status.json" >/dev/null || fail "volumes lack the $kind disk $uuid: $text"
  done
leaf=6190d680-4ac3-453d-a847-ba9e31bfa7aa
assert_equal "VHD-$leaf VHD-77ef456c-892a-486a-9560-aaa5c3d6543d VHD-101cd468-5a5c-4689-a4c3-8c4119613698" \
  "$(jq -r --arg uuid "$leaf" '.volumes[] | select(.uuid == $uuid) | .chain | join(" ")' "$work/status.json")" "chain"
assert_equal "$leaf" "$(jq -r '.volumes[] | select(.uuid | test("^3a645ffd")) | .snapshot_of' "$work/status.json")" "origin of a snapshot"
assert_contains "$(jq -r '.not_shown[] | select(.lv | test("^VHD-24dc5fd3")) | .reason' "$work/status.json")" waste "reason of an orphan"
assert_equal 3 "$(jq '[.not_shown[] | select(.vhd)] | length' "$work/status.json")" "VHDs that are not shown"

# The tables of a VHD are read once.
for i in 1 2; do bounded 60 dd if="$mnt/$leaf.raw" iflag=direct bs=1M status=none | sha256sum >/dev/null; done
status_of "$mnt" | jq -e '.vhd_cache | .hits > 0 and .misses > 0 and .bytes > 0 and .bytes <= .limit_bytes and .limit_bytes == 67108864' >/dev/null ||
  fail "no figures of the cache: $(status_of "$mnt")"

bounded 10 cat "$mnt/.lunfs/metrics" >"$work/metrics"
grep -qE '^lunfs_[a-z_]+(\{[^}]*\})? [0-9.e+-]+$' "$work/metrics" || fail "no metrics: $(cat "$work/metrics")"
assert_contains "$(cat "$work/metrics")" '^lunfs_vhd_cache_lookups_total\{result="hit"\} [1-9]' "metrics of the cache"
if grep -vE '^(#.*|lunfs_[a-z_]+(\{[^}]*\})? [0-9.e+-]+|)$' "$work/metrics"; then fail "not in the text format"; fi
