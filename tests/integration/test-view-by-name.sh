#!/bin/bash
# .lunfs/by-name leads from the name labels of MGT to the disks: escaped, doubles numbered.

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
mapfile -t twins < <(cd "$mnt/.lunfs/by-name" && ls -A | grep '^raw one')
assert_equal 2 "${#twins[@]}" "links for two disks named 'raw one'"
seen=
for link in "${twins[@]}"; do
  assert_equal raw "${link##*.}" "ending of $link"
  [[ -L $mnt/.lunfs/by-name/$link ]] || fail "$link is no symbolic link"
  target=$(readlink -f "$mnt/.lunfs/by-name/$link")
  assert_equal "$mnt" "$(dirname "$target")" "where $link leads"
  [[ $target != "$seen" ]] || fail "both links lead to $target"
  seen=$target
  [[ -f $target ]] || fail "$link leads nowhere"
done

echo "labels with a slash and other odd characters:"
simple_sr "$work/odd.img"
python3 "$tools/make_mgt.py" "$sr_uuid" 'a <b> & c' "$disk_uuid=data/with/slash" "$other_uuid=../../etc/passwd" |
  lv_bytes write "$work/odd.img.layout" "$work/odd.img" MGT 0
remount_lunfs "$work/odd.img" "$mnt"
links=$(ls -A "$mnt/.lunfs/by-name")
assert_equal 2 "$(wc -l <<<"$links")" "links"
assert_contains "$links" 'data.*with.*slash.*\.raw' "links"
for link in "$mnt"/.lunfs/by-name/* "$mnt"/.lunfs/by-name/.[!.]*; do
  [[ -L $link ]] || continue
  assert_equal "$mnt" "$(dirname "$(readlink -f "$link")")" "where ${link##*/} leads"
done
