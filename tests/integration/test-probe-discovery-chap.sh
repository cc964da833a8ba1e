#!/bin/bash
# Discovery proves itself where the portal asks for it, one-way and mutual; a refusal says what is missing. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
tgt --op new --mode account --user finder --password secret-of-finder
tgt --op bind --mode account --user finder
tgt --op new --mode account --user array --password secret-of-array
where="127.0.0.1:$tgt_port"
with() { # CREDENTIALS-LINES...: probes with them
  write_credentials "$work/credentials" "$where" "$@"
  probe_arguments=(lunfs-sr probe "$where" --initiator "$initiator" --credentials "$work/credentials")
}
refused_discovery() { # HOW CAUSE REMEDY
  tool_fails 24 "discovery at $where $1 was refused: authentication failure \(0x0201\)" "$2" "$3" "${probe_arguments[@]}"
}

with username=alice password=secret-of-alice
refused_discovery 'without CHAP' 'the target asks for CHAP and no credentials were found' \
  "put discovery_username and discovery_password into section \[$where\] of a credentials file \(credentials: $work/credentials\); allow initiator $initiator in the array's access list"

with discovery_username=finder discovery_password=wrong-secret-1
refused_discovery 'with one-way CHAP as user finder' 'the user name or the secret is not the one the target has' \
  "compare discovery_username and discovery_password with what the array has for this initiator \(credentials: $work/credentials\); allow initiator $initiator in the array's access list"
assert_lacks "$tool_err" 'wrong-secret' "error text"

with discovery_username=finder discovery_password=secret-of-finder
tool "${probe_arguments[@]}" --json
assert_equal "$iqn vg" "$(told '.targets[0] | "\(.iqn) \(.luns[] | select(.lun == 1) | .content)"')" "what is found"
assert_contains "$(told '.targets[0].luns[1].mount.command')" "credentials=$work/credentials" "the mount command"

# Mutual: the portal has to prove itself as well.
tgt --op bind --mode account --user array --outgoing
with discovery_username=finder discovery_password=secret-of-finder \
  discovery_username_in=array discovery_password_in=secret-of-array
tool "${probe_arguments[@]}" --json
assert_equal "$iqn" "$(told '.targets[0].iqn')" "what is found"

with discovery_username=finder discovery_password=secret-of-finder \
  discovery_username_in=array discovery_password_in=another-secret
tool_fails 24 "discovery at $where with mutual CHAP as user finder: the target did not prove itself: .*" \
  'username_in or password_in is not what the target has, or it is not the target it claims to be' \
  "compare discovery_username_in and discovery_password_in with what the array has .*" "${probe_arguments[@]}"
assert_lacks "$tool_err" 'another-secret|secret-of' "error text"
