#!/bin/bash
# The Linux kernel's target: discovery proves itself, a target that lists its initiators is there for these
# alone, and another name is told which one to allow. @timeout=300

. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"
. "$here/vm/lio.sh"

simple_sr "$work/lun.img"
start_lio "$work/lun.img" "$initiator"
probe_as() { # INITIATOR: run_tool lunfs-sr probe
  run_tool lunfs-sr probe "$lio_portal" --initiator "$1" --credentials "$work/credentials" --json
}
with() { write_credentials "$work/credentials" "$lio_portal" "$@"; }
found() { # TARGET: what the probe has on its LUN 1
  told ".targets[] | select(.iqn == \"$lio:$1\") | .luns[]? | select(.lun == 1) | .content"
}

with discovery_username=finder discovery_password=wrong-secret-1
probe_as "$initiator"
assert_equal 24 "$tool_status" "a wrong secret in discovery ($tool_err)"
assert_contains "$tool_err" "discovery at $lio_portal with one-way CHAP as user finder was refused: authentication failure" "a wrong secret"
with discovery_username=finder discovery_password=secret-of-finder discovery_username_in=seeker discovery_password_in=another-secret
probe_as "$initiator"
assert_equal 24 "$tool_status" "a portal that does not prove itself ($tool_err)"
assert_contains "$tool_err" "the target did not prove itself" "a portal that does not prove itself"
assert_lacks "$tool_err" 'another-secret|secret-of' "error text"

with discovery_username=finder discovery_password=secret-of-finder discovery_username_in=seeker \
  discovery_password_in=secret-of-seeker
write_credentials "$work/more" "$lio:mutual" username=alice password=secret-of-alice username_in=array \
  password_in=secret-of-array
cat "$work/more" >>"$work/credentials"
probe_as "$initiator"
assert_equal 0 "$tool_status" "the probe ($tool_err)"
for target in open listed mutual; do assert_equal sr "$(found $target)" "LUN 1 of $target"; done
assert_contains "$(told ".targets[] | select(.iqn == \"$lio:chap\") | .error.message")" 'was refused: authentication failure' "chap"
assert_equal "$sr_uuid" "$(told ".targets[] | select(.iqn == \"$lio:listed\") | .luns[] | select(.lun == 1) | .sr.uuid")" "the SR"

stranger=iqn.2001-05.com.example:stranger
probe_as "$stranger"
assert_equal '' "$(found listed)" "what a stranger finds on the target that does not list it"
initiator=$stranger
refused 24 "iscsi://$lio_portal/$lio:listed/1" "$mnt"
says "login to $lio:listed at $lio_portal .* was refused: .*0x0202" "allow initiator $stranger in the array's access list"

run_tool lunfs-iqn verify "$lio_portal" --initiator "$initiator" --credentials "$work/credentials" --hold 1 --target "$lio:mutual"
assert_equal 0 "$tool_status" "lunfs-iqn verify ($tool_err)"
assert_contains "$tool_out" "^$lio:mutual +$lio_portal +stays$" "a session that stays"
