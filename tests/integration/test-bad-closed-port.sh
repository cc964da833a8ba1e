#!/bin/bash
# A port where nobody listens is told at once. @short

. "$(dirname "$0")/functions.sh"

port=$(free_port)
start=$SECONDS
refused 4 "iscsi://127.0.0.1:$port/$iqn/1" "$mnt"
assert_less $((SECONDS - start)) 10 "seconds to say so"
tells "login to $iqn at 127.0.0.1:$port: connecting to 127.0.0.1:$port: Connection refused" \
  'no iSCSI target listens there, or a firewall refuses' \
  'check host and port \(iSCSI uses 3260\) and whether the target runs'
