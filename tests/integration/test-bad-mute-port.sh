#!/bin/bash
# A port that accepts and never answers costs login_timeout, not more. @short

. "$(dirname "$0")/functions.sh"

python3 "$tools/mute_port.py" "$work/port" &
note_process $!
on_exit end_process $!
wait_until 10 test -s "$work/port"
port=$(cat "$work/port")

start=$SECONDS
refused 8 "iscsi://127.0.0.1:$port/$iqn/1" "$mnt" -o login_timeout=3
assert_less $((SECONDS - start)) 10 "seconds to say so"
tells "login to $iqn at 127.0.0.1:$port: no answer within the login timeout" \
  'a firewall drops the packets, or what listens on that port is not an iSCSI target' \
  'check host, port and firewall, or give the login more time \(a mount: -o login_timeout=S; a tool: --timeout or --login-timeout\)'
