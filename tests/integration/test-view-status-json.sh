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
for lv in $(jq -r '.vdis | to_entries[] | select(.value.kind == "vhd") | "VHD-" + .key' "$data/xenserver/sr-sample.json"); do
  jq -e --arg lv "$lv" 'any(.not_shown[]; .lv == $lv and (.reason | test("VHD")))' "$work/status.json" >/dev/null ||
    fail "not_shown lacks $lv"
done

bounded 10 cat "$mnt/.lunfs/metrics" >"$work/metrics"
grep -qE '^lunfs_[a-z_]+(\{[^}]*\})? [0-9.e+-]+$' "$work/metrics" || fail "no metrics: $(cat "$work/metrics")"
if grep -vE '^(#.*|lunfs_[a-z_]+(\{[^}]*\})? [0-9.e+-]+|)$' "$work/metrics"; then fail "not in the text format"; fi
