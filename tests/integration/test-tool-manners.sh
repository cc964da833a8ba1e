#!/bin/bash
# The tools among other programs: --json is JSON or nothing, a reader that goes or an interrupt ends them at
# once, the locale changes nothing, and portals may be IPv6 addresses or names. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
serve "$work/lun.img"
name=iqn.2001-05.com.example:host7
echo "InitiatorName=$name" >"$work/name"
where=127.0.0.1:$tgt_port
mute() {
  python3 "$tools/mute_port.py" "$work/mute" &
  note_process $!
  on_exit end_process $!
  wait_until 10 test -s "$work/mute" || fail "no mute port"
}
mute

# Each command that knows --json: an object, whatever the status; nothing where the command itself fails.
while read -r status words; do
  run_tool $words --json
  assert_equal "$status" "$tool_status" "status of $words ($tool_err)"
  jq -e 'type == "object"' "$work/tool.out" >/dev/null || fail "no JSON object from $words: $tool_out"
done <<EOF2
0 lunfs-iqn show --file $work/name
0 lunfs-iqn generate
0 lunfs-iqn set $name --file $work/name
7 lunfs-iqn check $name $name nonsense
0 lunfs-iqn verify $where --file $work/name --hold 1
4 lunfs-iqn verify 127.0.0.1:$(free_port) --file $work/name
21 lunfs-iqn verify $where --file $work/name --target iqn.2001-05.com.example:none
0 lunfs-sr probe $where --initiator $name
0 lunfs-sr info $(lun_url) --initiator $name
0 lunfs-vdi list $(lun_url) --initiator $name
0 lunfs-vdi info $work/lun.img
EOF2
while read -r status words; do
  run_tool $words --json
  assert_equal "$status" "$tool_status" "status of $words ($tool_err)"
  assert_equal '' "$tool_out" "what $words prints beside its error"
  assert_contains "$tool_err" '^  likely cause: ' "error text of $words"
  assert_contains "$tool_err" '^  what to do: ' "error text of $words"
done <<EOF2
21 lunfs-iqn show --file $work/nothing
7 lunfs-iqn set nonsense --file $work/name
7 lunfs-iqn generate --prefix nonsense
7 lunfs-iqn verify ::1 --file $work/name
21 lunfs-iqn verify $where --file $work/nothing
7 lunfs-sr probe ::1
4 lunfs-sr probe nobody.invalid --initiator $name
4 lunfs-sr probe [::1]:$(free_port) --initiator $name
8 lunfs-sr probe 127.0.0.1:$(cat "$work/mute") --initiator $name --timeout 1
8 lunfs-sr info iscsi://127.0.0.1:$(cat "$work/mute")/$iqn/1 --initiator $name --timeout 1
21 lunfs-vdi info $work/lun.img nobody
7 lunfs-vdi list $work
EOF2

# A reader that has enough, and no reader at all.
many=$work/many
for ((i = 0; i < 20000; i++)); do echo nonsense; done >"$many"
said=$({ bounded 30 "${LUNFS%/*}/lunfs-iqn" check - <"$many" 2>"$work/tool.err"; echo $? >"$work/status"; } | head -n 1)
assert_contains "$said" '^line 1: ' "the first line"
assert_equal 141 "$(cat "$work/status")" "status of a tool whose reader has gone"
assert_equal '' "$(cat "$work/tool.err")" "words about a reader that has gone"
for words in "lunfs-iqn check $name" "lunfs-sr info $work/lun.img" "lunfs-vdi list $work/lun.img"; do
  tool_status=0
  bounded 30 "${LUNFS%/*}"/$words >/dev/full 2>"$work/tool.err" || tool_status=$?
  assert_equal 1 "$tool_status" "status of $words on a full disk"
  assert_contains "$(cat "$work/tool.err")" 'standard output could not be written' "words of $words on a full disk"
done

# An interrupt ends a wait, and with it the session at the target.
interrupted() { # PROGRAM ARGS...
  local program=$1 pid status=0
  shift
  # In a job without job control SIGINT would be ignored.
  env --default-signal=INT "${LUNFS%/*}/$program" "$@" >"$work/tool.out" 2>&1 &
  pid=$!
  note_process "$pid"
  sleep 1.5
  kill -INT "$pid" || fail "$program $* has ended before the interrupt: $(cat "$work/tool.out")"
  wait "$pid" || status=$?
  assert_equal 130 "$status" "status of $program after an interrupt"
}
start=$SECONDS
interrupted lunfs-sr probe "127.0.0.1:$(cat "$work/mute")" --initiator "$name" --timeout 60
interrupted lunfs-vdi list "iscsi://127.0.0.1:$(cat "$work/mute")/$iqn/1" --initiator "$name"
interrupted lunfs-iqn verify "$where" --file "$work/name" --hold 60
assert_less $((SECONDS - start)) 20 "seconds of three interrupted commands"
wait_until 10 no_session_left || fail "a session is left behind an interrupt"

# The locale: same words, same columns, same JSON.
for words in "lunfs-vdi list $work/lun.img" "lunfs-vdi list $work/lun.img --json" "lunfs-sr info $work/lun.img"; do
  tool $words
  LC_ALL=C bounded 30 "${LUNFS%/*}"/$words >"$work/in-c" || fail "$words in the locale C"
  assert_same_bytes "$work/tool.out" "$work/in-c" "$words in the locale C"
done

# By a host name, and by an IPv6 address where there is one.
tool lunfs-sr probe "localhost:$tgt_port" --initiator "$name" --json
assert_equal sr "$(told '.targets[0].luns[] | select(.lun == 1) | .content')" "content by a host name"
if [[ -e /proc/net/if_inet6 ]] && tgt --op new --mode portal --param "portal=[::1]:$tgt_port"; then
  where6="[::1]:$tgt_port"
  tool lunfs-sr probe "$where6" --initiator "$name" --json
  assert_equal "iscsi://$where6/$iqn/1" "$(told '.targets[0].luns[] | select(.lun == 1) | .url')" "URL by IPv6"
  tool lunfs-sr info "iscsi://$where6/$iqn/1" --initiator "$name" --json
  assert_equal "$where6" "$(told '.sessions[0].portal')" "portal by IPv6"
  tool lunfs-sr probe "$where6" --initiator "$name" --xml
  assert_contains "$tool_out" '^[[:space:]]*\[::1\]$' "IPAddress of the document"
  iqn_ends_with 0 verify "$where6" --file "$work/name" --hold 1
  assert_contains "$tool_out" "^$iqn +\[::1\]:$tgt_port +stays$" "a session by IPv6"
fi
