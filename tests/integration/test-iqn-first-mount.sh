#!/bin/bash
# The first mount on a host without an initiator's name makes one, stores it, logs in with it and says so;
# the next ones use it. Mounts that need none make none.

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

own_host
simple_vg "$work/lun.img"
serve "$work/lun.img"
initiator=

mount_lunfs "$work/lun.img" "$work/image"
[[ ! -e $host_name_file ]] || fail "the mount of an image made a name"
refused 7 "iscsi://127.0.0.1/nonsense/1" "$mnt"
[[ ! -e $host_name_file ]] || fail "a mount whose words are wrong made a name"
unmount "$work/image"

# A login that fails is where a new name is most likely to end.
chap_account 1 alice secret-of-alice
refused 24 "$(lun_url)" "$mnt"
made=$(name_in "$host_name_file")
assert_contains "$made" '^iqn\.[0-9]{4}-[0-9]{2}\.[a-z0-9.-]+:[0-9a-f]{8}$' "a name as XenServer has them"
says "this host had no initiator name: made $made and stored it in $host_name_file" "allow initiator $made in the array"
rm "$host_name_file"

write_credentials "$work/credentials" default username=alice password=secret-of-alice
mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
made=$(name_in "$host_name_file")
assert_equal "lunfs: this host had no initiator name: made $made and stored it in $host_name_file" "$mount_said" "the notice"
assert_contains "$(initiators_at 1)" "^$made alias: none" "whom the target knows"
assert_equal "$made" "$(status_of "$mnt" | jq -r '.sessions[0].initiator')" "the name in the status"

unmount "$mnt"
iqn_ends_with 0 set "$made" --alias "host one"
mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
assert_equal "" "$mount_said" "what the second mount says"
assert_contains "$(initiators_at 1)" "^$made alias: host one" "name and alias at the target"
unmount "$mnt"

# Where nothing can be stored the name is the same every time, and the user is told.
rm "$host_name_file"
mount --bind /etc /etc
mount -o remount,bind,ro /etc
mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
assert_contains "$mount_said" "has no initiator name, and none could be stored .*Read-only file system.*: logging in as iqn" "the notice"
first=$(status_of "$mnt" | jq -r '.sessions[0].initiator')
remount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
assert_equal "$first" "$(status_of "$mnt" | jq -r '.sessions[0].initiator')" "the name of the next mount"
unmount "$mnt"
umount /etc
