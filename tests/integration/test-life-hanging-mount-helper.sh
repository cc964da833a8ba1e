#!/bin/bash
# A mount helper that hangs keeps neither a daemon alive whose connection was aborted, nor its watcher, and is itself
# ended. @timeout=180

LUNFS_OWN_NAMESPACE=${LUNFS_OWN_NAMESPACE:-}
if [[ $EUID == 0 && -z $LUNFS_OWN_NAMESPACE ]]; then # for fusectl
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/lib/user.sh"

mkdir "$work/fusectl"
mount -t fusectl fusectl "$work/fusectl" || skip "no fusectl"
on_exit umount "$work/fusectl"
simple_vg "$work/lun.img"
give_user "$work/lun.img" "$own/lun.img"
mkdir "$own/bin"
cat >"$own/bin/fusermount3" <<SCRIPT
#!/bin/sh
[ "\$1" = -u ] || exec $(command -v fusermount3) "\$@"
echo \$\$ >"$own/helper"
exec tail -f /dev/null
SCRIPT
chmod 755 "$own/bin/fusermount3"
chown -R "$user:$user" "$own/bin"
PATH=$own/bin:$PATH mount_as_user "$own/lun.img"

connection=$(awk -v dir="$own/mnt" '$5 == dir { sub("[^:]*:", "", $3); print $3 }' /proc/self/mountinfo)
echo 1 >"$work/fusectl/$connection/abort"
wait_until 20 no_daemon_of "$own/mnt" || fail "the daemon lives: $(cat "$own/log")"
wait_until 20 test -s "$own/helper" || fail "the watcher does not try to remove the mount"
on_exit end_process "$(cat "$own/helper")"
wait_until 60 no_process_of "$own/mnt" || fail "the watcher lives"
wait_until 5 process_gone "$(cat "$own/helper")" || fail "the helper lives"
no_sanitizer_report || fail "a sanitizer complains"
