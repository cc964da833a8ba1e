#!/bin/bash
# Without allow_other nobody else gets in; with it the file modes still decide.

. "$(dirname "$0")/functions.sh"

requires_root
requires setpriv
simple_vg "$work/lun.img"
as_nobody() { bounded 20 setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
denied() { assert_fails_with 'Permission denied|Operation not permitted' setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

mount_lunfs "$work/lun.img" "$mnt" -o umask=0
denied ls "$mnt"
denied head -c 1 "$mnt/disk"

remount_lunfs "$work/lun.img" "$mnt" -o allow_other
denied ls "$mnt"
denied head -c 1 "$mnt/disk"

remount_lunfs "$work/lun.img" "$mnt" -o allow_other,umask=022
as_nobody head -c 512 "$mnt/disk" | cmp - <(head -c 512 "$work/lun.img.disk") || fail "a readable file is not read"
denied dd if=/dev/zero of="$mnt/disk" count=1 conv=notrunc
denied fallocate -p -l 4096 "$mnt/disk"
denied chmod 777 "$mnt/disk"
denied chown 65534 "$mnt/disk"
denied truncate -s 0 "$mnt/disk"

remount_lunfs "$work/lun.img" "$mnt" -o allow_other,umask=0
as_nobody dd if=/dev/zero of="$mnt/disk" count=1 conv=notrunc status=none || fail "a writable file is not written"
