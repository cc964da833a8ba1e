#!/bin/bash
# mount(8), fstab, findmnt, df and umount(8) treat it like any file system: as root with both types, with the words that
# systemd reads, with mount -a as often as one likes; a line with `user` as an ordinary user. No secret is shown.

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then # for an fstab and helpers of its own
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/lib/user.sh"

requires findmnt mount umount
with_installed_lunfs
: >"$work/fstab"
mount --bind "$work/fstab" /etc/fstab

secret=unmistakable-$RANDOM-$RANDOM
simple_vg "$work/lun.img"
simple_vg "$work/other.img" 512 other
serve "$work/lun.img"
chap_account 1 alice "$secret"
write_credentials "$work/credentials" default username=alice "password=$secret"
source=$(lun_url 1 alice)
mkdir "$work/image" "$work/asked"
on_exit release_mount "$mnt"
on_exit release_mount "$work/image"
systemd_words=_netdev,nofail,x-systemd.automount,x-systemd.requires=network-online.target,x-systemd.mount-timeout=30
cat >"$work/fstab" <<FSTAB
$source $mnt fuse.lunfs rw,$systemd_words,credentials=$work/credentials,log_file=$log 0 0
$work/other.img $work/image lunfs ro,$systemd_words,log_file=$log 0 0
$work/other.img $work/asked lunfs ro,noauto,$systemd_words 0 0
FSTAB

echo "mount -a, twice:"
for round in 1 2; do
  bounded 60 mount -a || fail "mount -a fails in round $round"
  for dir in "$mnt" "$work/image"; do
    assert_equal 1 "$(daemons_of "$dir" | wc -w)" "daemons of $dir in round $round"
    assert_equal 1 "$(grep -cF " $dir " /proc/self/mountinfo)" "mounts on $dir in round $round"
  done
done
not_mounted "$work/asked" || fail "noauto is mounted"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "a disk"
assert_equal "$source fuse.lunfs" "$(findmnt -nro SOURCE,FSTYPE "$mnt")" "findmnt"
assert_equal "$mnt" "$(findmnt -nro TARGET --source "$source")" "findmnt by source"
assert_contains "$(bounded 10 df -hT "$mnt" "$work/image")" "^$source +fuse.lunfs +[0-9.]+M .* $mnt\$" "df"
assert_lacks "$(findmnt; mount; df -hT "$mnt"; cat /proc/self/mountinfo /run/mount/utab)" "$secret" "what the tables show"

echo "by directory, by source, by both:"
bounded 30 umount "$source" || fail "umount by source"
wait_until 20 no_process_of "$mnt" || fail "umount by source leaves a process"
bounded 30 mount "$mnt" || fail "mount by directory"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "a disk again"
bounded 30 umount "$mnt" "$work/image" || fail "umount by directory"
wait_until 20 no_process_of "$mnt" || fail "umount leaves a process"
wait_until 20 no_process_of "$work/image" || fail "umount leaves a process"
wait_until 5 no_session_left || fail "a session is left at the target"
for type in lunfs fuse.lunfs; do
  bounded 30 mount -t $type -o "ro,log_file=$log" "$work/other.img" "$mnt" || fail "mount -t $type"
  assert_equal fuse.lunfs "$(findmnt -nro FSTYPE "$mnt")" "type of mount -t $type"
  assert_contains "$(findmnt -nro OPTIONS "$mnt")" '^ro,nosuid,nodev,' "options of mount -t $type"
  unmount "$mnt"
done

echo "what cannot be mounted:"
status=0
said=$(bounded 60 mount -t lunfs -o "log_file=$log" "$work/missing.img" "$mnt" 2>&1) || status=$?
assert_equal 32 $status "status of mount ($said)"
assert_contains "$said" "^lunfs: $work/missing.img: No such file" "what mount says"
assert_contains "$said" "^  what to do: check the path" "what mount says"

echo "a line with user, as an ordinary user:"
give_user "$work/other.img" "$own/lun.img"
mkdir -p "$own/.config/lunfs"
cp "$work/credentials" "$own/.config/lunfs/credentials"
# mount(8) keeps HOME from what it runs for a user: the account's home counts.
sed "s|^\(\([^:]*:\)\{2\}$user:[^:]*:[^:]*:\)[^:]*|\1$own|" /etc/passwd >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd
chown -R "$user:$user" "$own/.config"
for what in "$own/lun.img fuse.lunfs other" "$own/lun.img lunfs other" "$source fuse.lunfs lun" "$source lunfs lun"; do
  read -r from type contents <<<"$what"
  echo "$from $own/mnt $type noauto,user,$systemd_words,initiator=$initiator,log_file=$own/log 0 0" >"$work/fstab"
  on_exit release_mount "$own/mnt"
  as_user mount "$own/mnt" || fail "$type: the user cannot mount"
  assert_equal "$user" "$(stat -c %u /proc/"$(watchers_of "$own/mnt")")" "$type: whose watcher it is"
  assert_contains "$(findmnt -nro OPTIONS "$own/mnt")" "nosuid,nodev,.*user_id=$user," "$type: options"
  as_user cmp "$own/mnt/disk" "$work/$contents.img.disk" || fail "$type: wrong bytes"
  assert_fails_with 'must be superuser|not permitted|permission denied|only .* can' setpriv --reuid=65533 --regid=65533 --clear-groups umount "$own/mnt"
  as_user umount "$own/mnt" || fail "$type: the user cannot unmount"
  wait_until 20 no_process_of "$own/mnt" || fail "$type: umount leaves a process"
done
no_sanitizer_report || fail "a sanitizer complains"
