#!/bin/bash
# The .deb: cpack makes it; installed in a throw-away root it brings programs, mount helper, pages, unit and completion, and
# makes the host's initiator name and a place for secrets; what was installed mounts; removed, nothing of it is left but
# what is the administrator's. @timeout=300

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then # for mounts of its own
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires_root
requires_fuse
requires dpkg dpkg-deb dpkg-shlibdeps cpack
grep -qw overlay /proc/filesystems || skip "needs the overlay file system, for a root that can be thrown away"
build=$(dirname "$(readlink -f "$LUNFS")")/..
[[ -f $build/CPackConfig.cmake ]] || skip "no build with packaging beside $LUNFS"
forget_other_mounts

bounded 120 cpack -G DEB -B "$work/deb" --config "$build/CPackConfig.cmake" >"$work/cpack.log" 2>&1 || fail "cpack fails"
package=$(echo "$work"/deb/*.deb)
[[ -f $package ]] || fail "no package"
contents=$(dpkg-deb -c "$package" | awk '{ print $1, $2, $6, $7, $8 }')
assert_lacks "$contents" "/usr/local|$build|$top" "files of the package"
assert_lacks "$(awk '$2 != "root/root"' <<<"$contents")" . "owners in the package"
simple_vg "$work/lun.img"

# The machine's own system as the lower layer, so that what the package depends on is there; its changes stay in memory.
root=$work/root
mkdir "$work/layers" "$root"
mount -t tmpfs tmpfs "$work/layers"
on_exit umount -l "$work/layers"
mkdir "$work/layers/upper" "$work/layers/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/layers/upper,workdir=$work/layers/work" "$root"
on_exit umount -lR "$root"
for dir in proc dev; do mount --rbind /$dir "$root/$dir"; done
mount -t tmpfs tmpfs "$root/run"
cp "$package" "$root/lunfs.deb"
rm -rf "$root/etc/iscsi" "$root/etc/lunfs"
# inside COMMAND...
inside() { bounded 120 chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }

echo "install:"
# --no-triggers: the index of manual pages and the like of the whole system
inside dpkg --no-triggers -i /lunfs.deb >"$work/dpkg.log" 2>&1 || fail "the package cannot be installed"
assert_equal "install ok installed" "$(inside dpkg-query -W -f '${Status}' lunfs)" "state of the package"
for file in usr/bin/lunfs{,-iqn,-sr,-vdi} usr/sbin/mount.lunfs usr/share/man/man8/{lunfs{,-iqn,-sr,-vdi},mount.lunfs}.8.gz \
  usr/share/man/man5/lunfs-credentials.5.gz usr/lib/systemd/system/lunfs@.service usr/share/doc/lunfs/README.md \
  usr/share/bash-completion/completions/lunfs{,-iqn,-sr,-vdi} usr/share/fish/vendor_completions.d/lunfs{,-iqn,-sr,-vdi}.fish \
  usr/share/zsh/vendor-completions/_lunfs{,-tools}; do
  [[ -e $root/$file ]] || fail "no /$file"
done
assert_equal lunfs "$(basename "$(readlink -f "$root/usr/sbin/mount.lunfs")")" "what mount.lunfs leads to"
assert_contains "$(grep ^ExecStart= "$root/usr/lib/systemd/system/lunfs@.service")" '^ExecStart=/usr/bin/lunfs ' "the unit"
assert_equal "600 root" "$(stat -c '%a %U' "$root/etc/lunfs/credentials")" "the place for secrets"
[[ -z $(inside ldd /usr/bin/lunfs | grep 'not found') ]] || fail "a library is missing"
name=$(sed -n 's/^InitiatorName=//p' "$root/etc/iscsi/initiatorname.iscsi")
assert_contains "$name" '^iqn\.[0-9]{4}-[0-9]{2}\.' "the initiator's name that the installation made"
assert_contains "$(inside lunfs-iqn show)" "$name" "lunfs-iqn show"

echo "mount a LUN, with the name and the secrets that stand where the package puts them:"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
printf '[default]\nusername = alice\npassword = secret-of-alice\n' >>"$root/etc/lunfs/credentials"
said=$(inside lunfs-sr probe "127.0.0.1:$tgt_port") || fail "lunfs-sr probe"
line=$(sed -n 's/^  \(lunfs iscsi:.*\)/\1/p' <<<"$said")
assert_equal "lunfs $(lun_url) /mnt/plain -o ro" "$line" "the line that lunfs-sr probe gives"
mkdir "$root/mnt/plain"
inside $line || fail "$line"
cmp "$root/mnt/plain/disk" "$work/lun.img.disk" || fail "wrong bytes of the LUN"
assert_contains "$(tgt --op show --mode target)" "Initiator: $name" "the name that the target sees"
assert_contains "$(inside lunfs-vdi list /mnt/plain)" '^disk ' "lunfs-vdi list"
inside lunfs -u /mnt/plain || fail "lunfs -u of the LUN"
wait_until 5 no_session_left || fail "a session is left"

echo "mount an image:"
mkdir "$root/mnt/sr"
cp --sparse=always "$work/lun.img" "$work/lun.img.disk" "$root/mnt/"
for how in "lunfs /mnt/lun.img /mnt/sr" "mount -t lunfs /mnt/lun.img /mnt/sr" "mount -t fuse.lunfs /mnt/lun.img /mnt/sr"; do
  inside $how || fail "$how"
  inside cmp /mnt/sr/disk /mnt/lun.img.disk || fail "$how: wrong bytes"
  inside lunfs -u /mnt/sr || fail "lunfs -u after $how"
done

echo "install again, remove, purge:"
echo '# mine' >>"$root/etc/lunfs/credentials"
inside dpkg --no-triggers -i /lunfs.deb >>"$work/dpkg.log" 2>&1 || fail "the package cannot be installed again"
assert_contains "$(cat "$root/etc/lunfs/credentials")" '^# mine$' "the administrator's secrets"
inside dpkg --no-triggers -r lunfs >>"$work/dpkg.log" 2>&1 || fail "the package cannot be removed"
assert_equal "" "$(cd "$root" && find usr/bin usr/sbin usr/lib/systemd usr/share -name '*lunfs*')" "what is left in /usr"
assert_contains "$(cat "$root/etc/lunfs/credentials")" '^# mine$' "the administrator's secrets after the removal"
inside dpkg --no-triggers -P lunfs >>"$work/dpkg.log" 2>&1 || fail "the package cannot be purged"
[[ ! -e $root/etc/lunfs ]] || fail "a purge leaves /etc/lunfs"
assert_contains "$(cat "$root/etc/iscsi/initiatorname.iscsi")" "=$name\$" "the initiator's name after a purge"

echo "a host that has a name, open-iscsi's:"
named=$root/etc/iscsi/initiatorname.iscsi
printf '## of open-iscsi\nInitiatorName=iqn.1993-08.org.debian:01:abc\n' >"$named"
chmod 640 "$named"
touch -d '2020-01-01 UTC' "$named"
before=$(stat -c '%a %u %g %i %Y' "$named"; cat "$named")
inside dpkg --no-triggers -i /lunfs.deb >>"$work/dpkg.log" 2>&1 || fail "the package cannot be installed after a purge"
assert_equal "$before" "$(stat -c '%a %u %g %i %Y' "$named"; cat "$named")" "open-iscsi's name after the installation"

echo "removed and purged while something is mounted:"
inside lunfs /mnt/lun.img /mnt/sr || fail "mount"
daemon=$(jq .pid "$root/mnt/sr/.lunfs/status.json")
note_process "$daemon"
inside dpkg --no-triggers -P lunfs >>"$work/dpkg.log" 2>&1 || fail "the package cannot be purged while something is mounted"
inside cmp /mnt/sr/disk /mnt/lun.img.disk || fail "the mount does not survive the removal"
watcher=$(pgrep -P "$daemon" -f '^lunfs-watcher') || watcher=$(pgrep -f '^lunfs-watcher /mnt/sr$')
kill -KILL "$daemon"
wait_until 20 process_gone "$watcher" || fail "the watcher of a program that was removed lives"
assert_lacks "$(cat /proc/self/mountinfo)" " $root/mnt/sr " "the mount table after the daemon's end"
assert_equal "$before" "$(stat -c '%a %u %g %i %Y' "$named"; cat "$named")" "open-iscsi's name after a purge"
