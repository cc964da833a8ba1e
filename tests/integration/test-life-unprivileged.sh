#!/bin/bash
# A user who is not root mounts an image of his own with fusermount3, uses it and unmounts it.
# @short

# Without udev /dev/fuse may be for root only: inside a mount namespace of its own this test puts
# a node there as udev makes it.
if [[ $EUID == 0 && $(stat -c %a /dev/fuse) != 666 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires_root
requires setpriv fusermount3
[[ -u $(readlink -f "$(command -v fusermount3)") ]] || skip "fusermount3 is not setuid"
if [[ -n ${LUNFS_OWN_NAMESPACE:-} ]]; then
  forget_other_mounts
  mknod -m 666 "$work/fuse" c 10 229
  mount --bind "$work/fuse" /dev/fuse
fi
simple_vg "$work/lun.img"
own=$work/own
mkdir -p "$own/mnt"
cp --sparse=always "$work/lun.img" "$own/lun.img"
cp "$LUNFS" "$own/lunfs"
chown -R 65534:65534 "$own"
LUNFS=$own/lunfs
# The sanitizers' reports need a folder that this user may write.
export ASAN_OPTIONS="log_path=$own/sanitizer" UBSAN_OPTIONS="log_path=$own/sanitizer"
as_nobody() {
  bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$own" "$@"
}

on_exit release_mount "$own/mnt"
as_nobody "$LUNFS" "$own/lun.img" "$own/mnt" -o "log_file=$own/log" || fail "nobody cannot mount: $(cat "$own/log")"
as_nobody sha256sum "$own/mnt/disk" | grep -q "$(sha256_of "$work/lun.img.disk")" || fail "wrong bytes"
assert_equal "600 65534" "$(as_nobody stat -c '%a %u' "$own/mnt/disk")" "mode and owner"
assert_fails_with 'Permission denied' ls "$own/mnt"
as_nobody dd if=/dev/zero of="$own/mnt/disk" bs=1M count=1 conv=notrunc status=none || fail "nobody cannot write his own"
as_nobody "$LUNFS" -u "$own/mnt" || fail "lunfs -u fails"
not_mounted "$own/mnt" || fail "still mounted"
wait_until 20 no_daemon_of "$own/mnt" || fail "the daemon lives"
if compgen -G "$own/sanitizer*" >/dev/null; then fail "$(cat "$own"/sanitizer*)"; fi
