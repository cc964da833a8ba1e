#!/bin/bash
# Modes are 0600 and 0700 for the caller by default; uid=, gid=, umask= change that; chmod and chown hold in memory. @short

. "$(dirname "$0")/functions.sh"

requires_root
simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
assert_equal "600 0 0" "$(stat -c '%a %u %g' "$mnt/disk")" "a file"
assert_equal "700 0 0" "$(stat -c '%a %u %g' "$mnt")" "the root folder"
assert_equal "400 0 0" "$(stat -c '%a %u %g' "$mnt/.lunfs/status.json")" "status.json"
inode=$(stat -c %i "$mnt/disk")
chmod 640 "$mnt/disk"
chown 1234:4321 "$mnt/disk"
touch -d '2020-02-02 02:02:02 UTC' "$mnt/disk"
assert_equal "640 1234 4321 1580608922" "$(stat -c '%a %u %g %Y' "$mnt/disk")" "after chmod, chown, touch"
sha256_of "$mnt/disk" >/dev/null
assert_equal "640 1234 4321" "$(stat -c '%a %u %g' "$mnt/disk")" "later"

remount_lunfs "$work/lun.img" "$mnt" -o uid=65534,gid=12,umask=027
assert_equal "640 65534 12" "$(stat -c '%a %u %g' "$mnt/disk")" "a file"
assert_equal "750 65534 12" "$(stat -c '%a %u %g' "$mnt")" "the root folder"
assert_equal "$inode" "$(stat -c %i "$mnt/disk")" "inode number in another mount"
