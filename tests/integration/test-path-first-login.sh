#!/bin/bash
# A mount needs one path that works; with none the error tells each path's reason.

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

serve_paths
unmount "$mnt"
cut_path 0
mount_lunfs "$(path_url 0)" "$mnt" -o "portal=${path_portal[1]}"
path_is 0 down || fail "the dead portal is not told as down"
path_is 1 'in use' || fail "the second portal is not in use"
read_one || fail "a read fails"
unmount "$mnt"
mount_lunfs "$(path_url 1)" "$mnt" -o "portal=${path_portal[0]},sessions=2"
read_one || fail "a read fails with two sessions, one of which begins with the dead portal"
unmount "$mnt"
cut_path 1
refused 4 "$(path_url 0)" "$mnt" -o "portal=${path_portal[1]}"
tells "no path to LUN 1 of $iqn works: ${path_portal[0]}: .*Connection refused; ${path_portal[1]}: .*Connection refused" \
  'no iSCSI target listens there, or a firewall refuses' 'check host and port .*'
