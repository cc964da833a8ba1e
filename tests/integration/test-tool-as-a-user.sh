#!/bin/bash
# An ordinary user reads an image of his own, and asks his own mount with and without a run directory. @short

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
mkdir -p "$own/mnt" "$own/run"
cp --sparse=always "$work/lun.img" "$own/lun.img"
cp "$LUNFS" "${LUNFS%/*}/lunfs-sr" "${LUNFS%/*}/lunfs-vdi" "$own/"
chown -R 65534:65534 "$own"
chmod 700 "$own/run"
LUNFS=$own/lunfs
as_user() { bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$own" "$@"; }

assert_equal 'disk,other' "$(as_user "$own/lunfs-vdi" list "$own/lun.img" --minimal)" "volumes of the image"
for run in '' "XDG_RUNTIME_DIR=$own/run"; do
  on_exit release_mount "$own/mnt"
  echo "$own/mnt" >>"$state/mounts"
  as_user ${run:+"$run"} "$own/lunfs" "$own/lun.img" "$own/mnt" -o "ro,log_file=$own/log" || fail "mount ($run)"
  assert_equal 'disk,other' "$(as_user ${run:+"$run"} "$own/lunfs-vdi" list "$own/mnt" --minimal)" "volumes of the mount ($run)"
  # Root may ask, but not where the mount keeps everybody out and the socket is elsewhere.
  tool_fails 13 "$own/mnt: the mount tells no status" \
    'it lets nobody in but uid 65534, and its control socket is not in /run/user/65534/lunfs' \
    'ask as that user' lunfs-sr info "$own/mnt"
  as_user ${run:+"$run"} "$own/lunfs" -u "$own/mnt" || fail "unmount ($run)"
done
