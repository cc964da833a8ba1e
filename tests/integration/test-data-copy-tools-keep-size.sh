#!/bin/bash
# cp, cp --sparse, cp -a, dd without notrunc and rsync --inplace onto a VDI write into it and never change its size. @short

. "$(dirname "$0")/functions.sh"

requires rsync
simple_vg "$work/lun.img"
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
size=$((16 << 20))

# check WHAT SOURCE: the source's bytes stand in front, what was behind them still does
check() {
  assert_equal $size "$(size_of "$mnt/disk")" "size after $1"
  local length
  length=$(size_of "$2")
  cp "$work/expected" "$work/after"
  dd if="$2" of="$work/after" conv=notrunc status=none
  assert_same_bytes "$mnt/disk" "$work/after" "$1, through the mount"
  assert_equal "$(sha256_of "$work/after")" "$(lv_bytes sha256 "$work/lun.img.layout" "$work/lun.img" disk)" "$1, on the LUN"
  cp "$work/after" "$work/expected"
}

cp "$work/lun.img.disk" "$work/expected"
for length in $((5 << 20)) 3000001 $size; do
  for how in 'cp' 'cp -a' 'cp --sparse=never' 'cp --sparse=always' 'cp --reflink=auto'; do
    random_file "$work/source" "$length"
    # shellcheck disable=SC2086
    bounded 60 $how "$work/source" "$mnt/disk" || fail "$how fails"
    check "$how of $length bytes" "$work/source"
  done
  for how in 'rsync --inplace' 'rsync --inplace --no-whole-file'; do
    random_file "$work/source" "$length"
    status=0
    # shellcheck disable=SC2086
    bounded 60 $how "$work/source" "$mnt/disk" 2>"$work/rsync.log" || status=$?
    # It cuts a longer file off when all is written, and says that it could not.
    ((length == size)) && assert_equal 0 $status "status of $how ($(cat "$work/rsync.log"))"
    ((length == size)) || assert_contains "$(cat "$work/rsync.log")" 'ftruncate.*not permitted' "$how"
    check "$how of $length bytes" "$work/source"
  done
  random_file "$work/source" "$length"
  bounded 60 dd if="$work/source" of="$mnt/disk" bs=64k status=none
  check "dd of $length bytes" "$work/source"
  random_file "$work/source" "$length"
  bounded 60 cat "$work/source" >"$mnt/disk"
  check "a shell's > of $length bytes" "$work/source"
done
