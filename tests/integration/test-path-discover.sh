#!/bin/bash
# portal=discover: the paths are those that the target tells, and the session goes over to one of them.

. "$(dirname "$0")/functions.sh"
. "$here/lib/paths.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_path 0
mount_lunfs "$(path_url 0)" "$mnt" -o portal=discover
assert_equal "${path_portal[0]} 127.0.0.1:$tgt_port" \
  "$(status_of "$mnt" | jq -r '[.sessions[0].paths[].portal] | join(" ")')" "the paths"
cut_path 0
read_one || fail "a read fails"
# With several sessions the read may have been served by another one.
runs_at_target() { [[ $(status_of "$mnt" | jq -r '.sessions[0].portal') == "127.0.0.1:$tgt_port" ]]; }
wait_until 20 runs_at_target || fail "the session does not run at 127.0.0.1:$tgt_port"
end_after_loss "$mnt"
