#!/bin/bash
# A user who is not root mounts an image of his own with fusermount3, uses it and unmounts it. @short

. "$(dirname "$0")/functions.sh"

requires_root
requires setpriv fusermount3
[[ -u $(readlink -f "$(command -v fusermount3)") ]] || skip "fusermount3 is not setuid"
[[ $(stat -c %a /dev/fuse) == 666 ]] || skip "/dev/fuse is for root only"
simple_vg "$work/lun.img"
own=$work/own
mkdir "$own"
mkdir "$own/mnt"
cp --sparse=always "$work/lun.img" "$own/lun.img"
chown -R 65534:65534 "$own"
as_nobody() { bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$own" "$@"; }
# The sanitizers' reports need a folder that this user may write.
export ASAN_OPTIONS="log_path=$own/sanitizer" UBSAN_OPTIONS="log_path=$own/sanitizer"
program=$LUNFS
if ! as_nobody test -x "$program"; then
  program=$own/lunfs
  cp "$LUNFS" "$program"
fi
on_exit release_mount "$own/mnt"
echo "$own/mnt" >>"$state/mounts"
as_nobody "$program" "$own/lun.img" "$own/mnt" -o "log_file=$own/log" || fail "nobody cannot mount: $(cat "$own/log")"
as_nobody cmp "$own/mnt/disk" "$work/lun.img.disk" 2>/dev/null || as_nobody sha256sum "$own/mnt/disk" | grep -q "$(sha256_of "$work/lun.img.disk")" || fail "wrong bytes"
assert_equal "600 65534" "$(as_nobody stat -c '%a %u' "$own/mnt/disk")" "mode and owner"
assert_fails_with 'Permission denied' ls "$own/mnt"
as_nobody dd if=/dev/zero of="$own/mnt/disk" bs=1M count=1 conv=notrunc status=none || fail "nobody cannot write his own"
as_nobody "$program" -u "$own/mnt" || fail "lunfs -u fails"
not_mounted "$own/mnt" || fail "still mounted"
compgen -G "$own/sanitizer*" >/dev/null && fail "$(cat "$own"/sanitizer*)"
exit 0
