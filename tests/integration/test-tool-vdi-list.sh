#!/bin/bash
# lunfs-vdi list and info tell of the sample's disks what its description says, the same by image, URL and mount. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
sample=$data/xenserver/sr-sample.json
serve "$work/lun.img"

tool lunfs-vdi list "$work/lun.img" --json
jq -r '.vdis | to_entries[] | "\(.key) \(.value.size)"' "$sample" | sort >"$work/expected"
told '.vdis[] | "\(.uuid) \(.size_bytes)"' | sort | diff "$work/expected" - >&2 || fail "uuids and sizes"
assert_equal "$(jq -r .sr "$sample")" "$(told .sr.uuid)" "uuid of the SR"
told .vdis >"$work/by-image"

tool lunfs-vdi list "$(lun_url)" --initiator "$initiator" --json
told .vdis | diff "$work/by-image" - >&2 || fail "by URL it is something else"
mount_lunfs "$(lun_url)" "$mnt" -o "initiator=$initiator"
tool lunfs-vdi list "$mnt" --json
told .vdis | diff "$work/by-image" - >&2 || fail "by the mount it is something else"

# As a table: one line a disk, aligned, whatever a label holds.
tool lunfs-vdi list "$mnt"
assert_equal $((1 + $(wc -l <"$work/expected"))) "$(wc -l <<<"$tool_out")" "lines of the table"
assert_contains "$(head -n 1 <<<"$tool_out")" '^UUID +LABEL +KIND +SIZE +USED +IN VG +STATE +PARENT +SNAPSHOT OF +REASON$' "head"
snapshot=$(told_snapshot=$(jq -r '.[] | select(.snapshot_of) | .uuid' "$work/by-image") && echo "$told_snapshot")
of=$(jq -r '.[] | select(.snapshot_of) | .snapshot_of' "$work/by-image")
assert_contains "$tool_out" "^$snapshot +web01 snapshot +vhd .* read-only +VHD-[0-9a-f-]+ +$of +a VHD" "line of the snapshot"

tool lunfs-vdi info "$mnt" "$(head -1 "$work/expected" | cut -d' ' -f1)" --minimal
assert_equal "$(head -1 "$work/expected" | cut -d' ' -f1)" "$tool_out" "info --minimal"
tool lunfs-vdi list "$mnt" --minimal
tr , '\n' <<<"$tool_out" | sort | diff <(cut -d' ' -f1 "$work/expected") - >&2 || fail "the uuids of --minimal"

# With --all every LV that lvm2 knows is there once.
tool lunfs-vdi list "$mnt" --all --json
open_lvm "$work/lun.img"
lvm2 lvs --noheadings -o lv_name | tr -d ' ' | sort >"$work/lvs"
close_lvm
told '.vdis[].lv' | sort | diff "$work/lvs" - >&2 || fail "the LVs of --all"

# One disk by uuid, label, LV and file; a base copy by its uuid; none that is not there.
for name in "$snapshot" 'web01 snapshot' "VHD-$snapshot" "$snapshot.raw" "${snapshot^^}"; do
  tool lunfs-vdi info "$mnt" "$name"
  assert_contains "$tool_out" "^uuid +$snapshot\$" "info of $name"
  assert_contains "$tool_out" '^chain +VHD-[^ ]+, VHD-[^ ]+, VHD-[^ ]+$' "chain of $name"
done
base=$(jq -r '.hidden[0]' "$sample")
tool lunfs-vdi info "$mnt" "$base"
assert_contains "$tool_out" '^state +hidden$' "state of a base copy"
tool_fails 21 "$mnt: there is no disk 'nobody'" 'no disk has this uuid, label, LV or file name' \
  "lunfs-vdi list --all $mnt names them" lunfs-vdi info "$mnt" nobody

# A reader that has enough ends the tool without a word.
"${LUNFS%/*}/lunfs-vdi" list --all "$work/lun.img" 2>"$work/tool.err" | true || true
assert_equal '' "$(cat "$work/tool.err")" "words about a reader that has gone"
