#!/bin/bash
# The Linux kernel's target with access states: the optimized path is used although the URL names another, and a port that
# is no good gets no I/O; where there is no optimized one, one that does I/O is used, and a mount needs one.

. "$(dirname "$0")/own_network.sh"
. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"
. "$here/vm/lio_paths.sh"

simple_vg "$work/lun.img"
start_lio_paths "$work/lun.img"
random_file "$work/new" $((4 << 20))
# uses USED OTHER STATE: writes and reads by path USED alone, while the other's port is in STATE
uses() {
  local before after
  before=$(in_guest "port $2 in_cmds")
  mount_lio_paths
  path_is "$1" 'in use' || fail "path $1 is not in use beside one that is $3: $(status_of "$mnt" | jq -c .sessions[0].paths)"
  bounded 60 dd if="$work/new" of="$mnt/disk" bs=64k seek="$1" oflag=direct conv=notrunc,fsync status=none
  dd if="$work/new" of="$work/lun.img.disk" bs=64k seek="$1" conv=notrunc status=none
  assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "LV disk by path $1"
  assert_equal "$3" "$(status_of "$mnt" | jq -r ".sessions[0].paths[$2 - 1].access")" "the access state that is told of path $2"
  unmount "$mnt"
  after=$(in_guest "port $2 in_cmds")
  echo "path $2, $3: $((after - before)) commands"
  assert_less $((after - before)) 8 "commands at a port that is $3"
  lv_bytes read "$work/lun.img.layout" "$work/lun.img" disk | cmp - "$work/lun.img.disk" || fail "what was synced is not on the extents"
}

for worse in standby unavailable active/non-optimized; do
  in_guest "access 1 $worse"
  uses 2 1 "$worse"
done
assert_equal '0 0' "$(in_guest 'echo $(port 1 read_mbytes) $(port 1 write_mbytes)')" "MiB by path 1"
in_guest 'access 2 standby'
uses 1 2 standby
in_guest 'access 1 standby'
refused 28 "iscsi://${path_portal[1]}/$lio:paths/1" "$mnt" -o "portal=${path_portal[2]}"
says 'the LUN is standby there'
