#!/bin/bash
# A port where nobody listens is told at once. @short

. "$(dirname "$0")/functions.sh"

port=$(free_port)
start=$SECONDS
refused 4 "iscsi://127.0.0.1:$port/$iqn/1" "$mnt"
assert_less $((SECONDS - start)) 10 "seconds to say so"
in_three_parts
says "127.0.0.1:$port" 'refused'
