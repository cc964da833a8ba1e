#!/bin/bash
# Targets are logged in to with what the credentials have for each; one that refuses is listed with reason and name to allow, beside the others. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
start_tgtd
tid=0
for name in open oneway mutual closed; do
  new_target $((++tid)) "iqn.2026-11.example:$name"
  cp --sparse=always "$work/lun.img" "$work/$name.img"
  new_lun "$tid" 1 "$work/$name.img"
done
chap_account 2 alice secret-of-alice
chap_account 3 bob secret-of-bob-1
chap_account 3 array secret-of-array --outgoing
chap_account 4 carol secret-of-carol
{
  printf '[iqn.2026-11.example:oneway]\nusername=alice\npassword=secret-of-alice\n'
  printf '[iqn.2026-11.example:mutual]\nusername=bob\npassword=secret-of-bob-1\n'
  printf 'username_in=array\npassword_in=secret-of-array\n'
} >"$work/credentials"
chmod 600 "$work/credentials"

probe --credentials "$work/credentials" --json
state() { told ".targets[] | select(.iqn == \"iqn.2026-11.example:$1\") | \"\(.state) \(.chap)\""; }
assert_equal 'ok none' "$(state open)" open
assert_equal 'ok one-way' "$(state oneway)" oneway
assert_equal 'ok mutual' "$(state mutual)" mutual
assert_equal 'refused null' "$(state closed)" closed
assert_equal 'vg vg vg' "$(told '[.targets[].luns[]? | select(.lun == 1) | .content] | join(" ")')" "what is on the others"
assert_lacks "$tool_out" 'secret-of' "the JSON"

probe --credentials "$work/credentials"
assert_contains "$tool_out" '^iqn.2026-11.example:closed +- +- +refused' "line of the refusing target"
assert_contains "$tool_out" "^iqn.2026-11.example:closed: login to iqn.2026-11.example:closed at 127.0.0.1:$tgt_port without CHAP was refused: authentication failure \(0x0201\)\$" "reason"
assert_contains "$tool_out" '^  likely cause: the target asks for CHAP and no credentials were found$' "cause"
assert_contains "$tool_out" "^  initiator to allow: $initiator\$" "the name to allow"

# Who asks for that one alone learns it by the status.
tool_fails 24 "login to iqn.2026-11.example:closed at 127.0.0.1:$tgt_port without CHAP was refused: authentication failure \(0x0201\)" \
  'the target asks for CHAP and no credentials were found' ".*allow initiator $initiator in the array's access list" \
  lunfs-sr probe "127.0.0.1:$tgt_port" --initiator "$initiator" --target iqn.2026-11.example:closed

# A target that pretends to be the array is found out.
sed -i 's/secret-of-array/another-secret-1/' "$work/credentials"
probe --credentials "$work/credentials" --json
assert_equal 'refused null' "$(state mutual)" "mutual with a wrong secret"
assert_contains "$(told '.targets[] | select(.iqn == "iqn.2026-11.example:mutual") | .error.message')" 'did not prove itself' "reason"
