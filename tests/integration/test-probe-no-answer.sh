#!/bin/bash
# A portal that is closed or mute costs no more than the time that was given, and says which of both it is. @short

. "$(dirname "$0")/functions.sh"

port=$(free_port)
tool_fails 4 "discovery at 127.0.0.1:$port: .*Connection refused.*" 'no iSCSI target listens there, or a firewall refuses' \
  'check host and port \(iSCSI uses 3260\) and whether the target runs' \
  lunfs-sr probe "127.0.0.1:$port" --initiator "$initiator"

python3 "$tools/mute_port.py" "$work/port" &
note_process $!
on_exit end_process $!
wait_until 10 test -s "$work/port"
port=$(cat "$work/port")
start=$SECONDS
tool_fails 8 "discovery at 127.0.0.1:$port: no answer within the login timeout" \
  'a firewall drops the packets, or what listens on that port is not an iSCSI target' '.*' \
  lunfs-sr probe "127.0.0.1:$port" --initiator "$initiator" --timeout 2
assert_less $((SECONDS - start)) 8 "seconds to say so"
