#!/bin/bash
# Another host with the same name that logs in again whenever it is thrown out: lunfs-iqn verify says so
# when the two meet, that is with the same ISID, and stays with an ISID of its own. It does not meet the
# kernel's sessions of its own host.

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

own_host
name=iqn.2001-05.com.example:host7
iqn_ends_with 0 set "$name"
truncate -s 8M "$work/lun.img"
serve "$work/lun.img"
portal=127.0.0.1:$tgt_port
# tgtd looks for an older session at the end of the security stage, which libiscsi leaves out without CHAP.
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" default username=alice password=secret-of-alice
verify() { iqn_ends_with "$1" verify "$portal" --credentials "$work/credentials" --hold 2 "${@:2}"; }

: >"$work/twin.log"
python3 "$tools/iscsi_twin.py" --port "$tgt_port" --target "$iqn" --initiator "$name" --isid 00023d000000 \
  --user alice --secret secret-of-alice --log "$work/twin.log" &
on_exit end_process $!
wait_until 10 grep -q in "$work/twin.log" || fail "the twin does not get in"

verify 0
assert_contains "$tool_out" "^$iqn +$portal +stays$" "an ISID of its own"
assert_contains "$tool_out" "A target that lets two of one name in tells" "what cannot be seen"
assert_equal 0 "$(grep -c out "$work/twin.log")" "how often the twin was thrown out"

verify 15 --isid open-iscsi
assert_contains "$tool_out" "^$iqn +$portal +is thrown out$" "the twin's ISID"
assert_contains "$tool_err" "^lunfs-iqn: another initiator uses the name $name: $iqn at $portal ended [23] sessions right after their login, and let one with an ISID of its own stay$" "what"
assert_contains "$tool_err" "^  likely cause: a host that has the same name logs in with the same ISID" "why"
assert_contains "$tool_err" "^  what to do: find the host .*lunfs-iqn generate --write$" "what to do"
assert_less 1 "$(grep -c out "$work/twin.log")" "how often the twin was thrown out"

verify 15 --isid open-iscsi --json
assert_equal "is thrown out true" "$(jq -r '.portals[0].targets[0] | "\(.session) \(.stays_with_own_isid)"' <<<"$tool_out")" "as JSON"
verify 0 --isid 00023d000001
verify 0 --isid open-iscsi --initiator iqn.2001-05.com.example:host8

# One that comes once and does not fight back is no twin yet.
"${LUNFS%/*}/lunfs-iqn" verify "$portal" --credentials "$work/credentials" --isid 00023d000005 --hold 4 \
  >"$work/once.out" 2>"$work/once.err" &
verifying=$!
both_are_in() { [[ $(sessions_of 1) == 2 ]]; }
wait_until 10 both_are_in || fail "verify does not get in beside the twin"
bounded 20 python3 "$tools/iscsi_twin.py" --port "$tgt_port" --target "$iqn" --initiator "$name" \
  --isid 00023d000005 --user alice --secret secret-of-alice --log "$work/once.log" --once
status=0
wait "$verifying" || status=$?
assert_equal 28 "$status" "status when the session was ended once ($(cat "$work/once.err"))"
assert_contains "$(cat "$work/once.out")" "^$iqn +$portal +was ended once$" "a guest who came once"
assert_contains "$(cat "$work/once.err")" "ended the session once, right after its login; the next stayed$" "what"

kernel_session "$name" "$iqn"
verify 28 --isid open-iscsi
assert_contains "$tool_err" "^lunfs-iqn: the kernel's session1 of this host would be thrown out$" "the own host"
verify 0 --isid 00023d000001
verify 7 --isid 00023d
