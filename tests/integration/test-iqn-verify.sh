#!/bin/bash
# lunfs-iqn verify logs in with the name and tells what each portal lets it see: targets where its session
# stays, targets that refuse it with the reason, none, or no answer.

. "$(dirname "$0")/functions.sh"

name=iqn.2001-05.com.example:host7
echo "InitiatorName=$name" >"$work/name"
verify() { iqn_ends_with "$1" verify --file "$work/name" --hold 1 "${@:2}"; }
start_tgtd
portal=127.0.0.1:$tgt_port

tgt --op new --mode target --tid 3 --targetname "${iqn}3"
tgt --op bind --mode target --tid 3 --initiator-name iqn.2001-05.com.example:host8
verify 21 "$portal"
assert_contains "$tool_err" "^lunfs-iqn: $portal shows $name no target$" "no target"
assert_contains "$tool_err" "^  what to do: allow initiator $name in the array's access list$" "no target"

truncate -s 8M "$work/lun.img"
new_target 1 "$iqn"
new_lun 1 1 "$work/lun.img"
verify 0 "$portal" "$portal"
assert_contains "$tool_out" "^name +$name$" "who logs in"
assert_contains "$tool_out" "^$iqn +$portal +stays$" "a session that stays"
assert_contains "$tool_out" "nobody threw it out" "the verdict"
no_session_left || fail "a session is left at the target"

# One target for this name alone, and one that wants CHAP.
tgt --op new --mode target --tid 2 --targetname "${iqn}2"
tgt --op bind --mode target --tid 2 --initiator-name "$name"
new_target 4 "${iqn}4"
chap_account 4 alice secret-of-alice
verify 24 "$portal" --json
jq -e --arg iqn "$iqn" '.portals[0].targets | map({(.target): .session}) | add ==
  {($iqn): "stays", ($iqn + "2"): "stays", ($iqn + "4"): "is refused"}' <<<"$tool_out" >/dev/null ||
  fail "what is seen: $tool_out"
assert_contains "$tool_err" "login to ${iqn}4 at $portal without CHAP was refused: authentication failure" "the refusal"
assert_contains "$tool_err" "allow initiator $name in the array's access list" "the refusal"

write_credentials "$work/credentials" "${iqn}4" username=alice password=secret-of-alice
verify 0 "$portal" --credentials "$work/credentials" --target "${iqn}4"
assert_contains "$tool_out" "^${iqn}4 +$portal +stays$" "with CHAP"
assert_lacks "$tool_out$tool_err" secret-of-alice "secrets"
verify 21 "$portal" --target "${iqn}3"
assert_contains "$tool_err" "$portal does not show $name this target, but .*$iqn" "a target of others"
verify 0 "$portal" --discovery-only
assert_contains "$tool_out" "^${iqn}4 +$portal +not tried$" "without sessions"

closed=$(free_port)
verify 4 "127.0.0.1:$closed" "$portal" --target "$iqn"
assert_contains "$tool_err" "127.0.0.1:$closed: Connection refused" "a closed port"
assert_contains "$tool_out" "^$iqn +$portal +stays$" "the portal behind the closed one"
python3 "$tools/mute_port.py" "$work/mute" &
on_exit end_process $!
wait_until 10 test -e "$work/mute" || fail "no mute port"
verify 8 "127.0.0.1:$(cat "$work/mute")" --login-timeout 1
assert_contains "$tool_err" "no answer within the login timeout" "a mute port"
rm "$work/name"
verify 21 "$portal"
[[ ! -e $work/name ]] || fail "verify made a name"
