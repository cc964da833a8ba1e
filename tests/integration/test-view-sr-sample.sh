#!/bin/bash
# The sample SR of a storage manager: its visible VDIs and no others are listed, with the sums of its description, which every LV under .lunfs/lv has as well. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
sample=$data/xenserver/sr-sample.json
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"

jq -r '.vdis | to_entries[] | "\(.key) \(.value.size) \(.value.sha256)"' "$sample" |
  while read -r uuid size sum; do
    assert_equal "$size" "$(size_of "$mnt/$uuid.raw")" "size of $uuid"
    assert_equal "$sum" "$(sha256_of "$mnt/$uuid.raw")" "bytes of $uuid"
  done
jq -r '.lvsha | to_entries[] | "\(.key) \(.value)"' "$sample" |
  while read -r lv sum; do
    assert_equal "$sum" "$(sha256_of "$mnt/.lunfs/lv/$lv")" "bytes of .lunfs/lv/$lv"
  done
jq -r '.hidden[]' "$sample" | while read -r uuid; do
  [[ ! -e $mnt/$uuid.raw ]] || fail "hidden $uuid is shown"
done
jq -r '.vdis | keys[] | . + ".raw"' "$sample" | sort >"$work/expected"
ls -A "$mnt" | sort | diff "$work/expected" - || fail "the listing has more or less than the visible VDIs"
