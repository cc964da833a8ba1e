#!/bin/bash
# A mount point that is missing, no directory, or not writable by the caller is refused with its name.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
refused 7 "$work/lun.img" "$work/missing"
tells "mount point $work/missing: No such file or directory" \
  'the directory was not made yet, or its name is misspelt' \
  "make the directory first: mkdir $work/missing"

touch "$work/file"
refused 7 "$work/lun.img" "$work/file"
tells "mount point $work/file: not a directory" 'a file has that name' 'name an empty directory'

refused 7 "$work/lun.img" "$work/file/below"
tells "mount point $work/file/below: Not a directory" \
  'a part of the path is no directory, or this user may not enter it' \
  "look at each part of the path: namei -l $work/file/below"

requires_root
requires setpriv
mkdir "$work/forbidden"
chmod 644 "$work/lun.img"
status=0
mount_said=$(bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
  "$LUNFS" "$work/lun.img" "$work/forbidden" -o ro 2>&1) || status=$?
assert_equal 13 "$status" "exit status ($mount_said)"
tells "mount point $work/forbidden: not writable by this user" \
  'FUSE lets a user mount only on a directory of his own' \
  'use a directory that is yours, or mount as root'
not_mounted "$work/forbidden" || fail "nobody mounted over a directory of root"
