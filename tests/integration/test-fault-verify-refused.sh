#!/bin/bash
# fio's checksums while the portal refuses connections for a moment, again and again; the target lives. I/O flows within
# two seconds after they are accepted again; three times that is allowed. @timeout=500

. "$(dirname "$0")/functions.sh"
. "$here/lib/verify_faults.sh"

serve_verify_vg
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"

# The way to the portal ends: its connections are reset, new ones are refused by the kernel.
refused() {
  local port=$proxy_port
  kill -9 "$proxy_pid"
  wait_until 10 log_tells_of_refusals || fail "no connection was refused"
  start_proxy "$port"
  # It has listened since it wrote this.
  flows_within 2000 "$(date -r "$work/proxy.port" +%s%3N)"
  session_is "$mnt" up || fail "the session is not told to be up"
  sleep 0.5
}
told=0
log_tells_of_refusals() {
  local now
  now=$(grep -c 'not back: .*refused' "$log")
  ((now > told)) && told=$now
}
verify_loops=4
verify_under "$work/lun.img" 'connections refused' refused
bounded 60 "$LUNFS" -u "$mnt" || fail "lunfs -u tells of a loss"
