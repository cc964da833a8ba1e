#!/bin/bash
# A mount point that is missing, no directory, or not writable by the caller is refused with its name.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
refused 7 "$work/lun.img" "$work/missing"
says "$work/missing" "what to do"

touch "$work/file"
refused 7 "$work/lun.img" "$work/file"
says "$work/file"

requires_root
requires setpriv
mkdir "$work/forbidden"
chmod 644 "$work/lun.img"
status=0
said=$(bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
  "$LUNFS" "$work/lun.img" "$work/forbidden" -o ro 2>&1) || status=$?
assert_equal 1 "$status" "exit status ($said)"
assert_contains "$said" "$work/forbidden" "error text"
assert_contains "$said" 'what to do' "error text"
not_mounted "$work/forbidden" || fail "nobody mounted over a directory of root"
