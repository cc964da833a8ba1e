#!/bin/bash
# Each visible VDI of the sample SR has the size and sum of its description, from the image and through a target; nothing else is listed. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
sample=$data/xenserver/sr-sample.json
jq -r '.vdis | keys[] | . + ".raw"' "$sample" | sort >"$work/expected"

check() {
  ls -A "$mnt" | sort | diff "$work/expected" - || fail "$1: the listing has more or less than the VDIs"
  jq -r '.vdis | to_entries[] | "\(.key) \(.value.size) \(.value.sha256)"' "$sample" |
    while read -r uuid size sum; do
      assert_equal "$size" "$(size_of "$mnt/$uuid.raw")" "$1: size of $uuid"
      assert_equal "$sum" "$(sha256_of "$mnt/$uuid.raw")" "$1: bytes of $uuid"
      # Another order and another size of requests, past the page cache.
      assert_equal "$sum" "$(bounded 60 dd if="$mnt/$uuid.raw" iflag=direct bs=1234k status=none | sha256sum | cut -d' ' -f1)" \
        "$1: bytes of $uuid in other pieces"
    done
  jq -r '.hidden[]' "$sample" | while read -r uuid; do
    [[ ! -e $mnt/$uuid.raw ]] || fail "$1: hidden $uuid is shown"
  done
}
mount_lunfs "$work/lun.img" "$mnt"
check "from the image"
unmount "$mnt"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
check "through a target"
