#!/bin/bash
# A mount helper that hangs does not keep a daemon alive whose connection was aborted. @timeout=180

# In a mount namespace of its own: fusectl, and without udev a /dev/fuse for all.
if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

forget_other_mounts
requires_root
requires setpriv fusermount3
[[ -u $(readlink -f "$(command -v fusermount3)") ]] || skip "fusermount3 is not setuid"
mknod -m 666 "$work/fuse" c 10 229
mount --bind "$work/fuse" /dev/fuse
mkdir "$work/fusectl"
mount -t fusectl fusectl "$work/fusectl" || skip "no fusectl"
on_exit umount "$work/fusectl"
simple_vg "$work/lun.img"
own=$work/own
mkdir -p "$own/mnt" "$own/bin"
cp --sparse=always "$work/lun.img" "$own/lun.img"
cp "$LUNFS" "$own/lunfs"
LUNFS=$own/lunfs
cat >"$own/bin/fusermount3" <<SCRIPT
#!/bin/sh
[ "\$1" = -u ] || exec $(command -v fusermount3) "\$@"
echo \$\$ >"$own/helper"
exec tail -f /dev/null
SCRIPT
chmod 755 "$own/bin/fusermount3"
chown -R 65534:65534 "$own"
export ASAN_OPTIONS="log_path=$own/sanitizer" UBSAN_OPTIONS="log_path=$own/sanitizer"

on_exit release_mount "$own/mnt"
bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$own" PATH="$own/bin:$PATH" \
  "$LUNFS" "$own/lun.img" "$own/mnt" -o "log_file=$own/log" || fail "nobody cannot mount: $(cat "$own/log")"
note_process "$(daemons_of "$own/mnt")"
connection=$(awk -v dir="$own/mnt" '$5 == dir { sub("[^:]*:", "", $3); print $3 }' /proc/self/mountinfo)
start=$SECONDS
echo 1 >"$work/fusectl/$connection/abort"
wait_until 20 test -s "$own/helper" || fail "the helper was not called: $(cat "$own/log")"
on_exit end_process "$(cat "$own/helper")"
wait_until 80 no_daemon_of "$own/mnt" || fail "the daemon lives: $(cat "$own/log")"
assert_less $((SECONDS - start)) 60 "seconds until the daemon's end"
assert_contains "$(cat "$own/log")" 'a dead mount may be left' "the log"
if compgen -G "$own/sanitizer*" >/dev/null; then fail "$(cat "$own"/sanitizer*)"; fi
