# The fault proxy between lunfs and its target: sees and, by rules, disturbs every SCSI command.
# Sourced by functions.sh; the rules' form stands in tools/iscsi_proxy.py.

# start_proxy [PORT]: in front of the running tgtd; sets proxy_port, proxy_pid
start_proxy() {
  echo '[]' >"$work/rules.json"
  rm -f "$work/proxy.port"
  python3 "$tools/iscsi_proxy.py" --target "127.0.0.1:$tgt_port" --rules "$work/rules.json" --port "${1:-0}" \
    --trace "$work/trace.json" --port-file "$work/proxy.port" >"$work/proxy.log" 2>&1 &
  proxy_pid=$!
  note_process "$proxy_pid"
  on_exit end_process "$proxy_pid"
  wait_until 10 test -s "$work/proxy.port" || fail "the proxy does not start"
  proxy_port=$(cat "$work/proxy.port")
}

proxy_url() { echo "iscsi://127.0.0.1:$proxy_port/$iqn/${1:-1}"; }

# rules JSON: from the next command on; replaced as a whole, never seen half written
rules() {
  echo "$1" >"$work/rules.new"
  mv "$work/rules.new" "$work/rules.json"
}

# trace: its whole lines; the last one may be half written
trace() { sed -n '/}$/p' "$work/trace.json"; }
# commands_seen CLASS: how many SCSI commands of the class (read, write, flush, other) went by
commands_seen() { trace | jq -s --arg class "$1" '[.[] | select(.class == $class)] | length'; }

# disturbed: how many commands a rule hit
disturbed() { trace | jq -s '[.[] | select(.event == "command" and .action != "pass")] | length'; }
# disturbed_last: when the last of them came, as date +%s%3N has it
disturbed_last() {
  trace | grep '"event": "command"' | grep -v '"action": "pass"' | tail -n 1 | jq '.time * 1000 | floor'
}
