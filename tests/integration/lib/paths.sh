# Two paths to the running tgtd, each a proxy of its own that can be killed, stopped and started again. Sourced by
# the tests of several paths. For tgtd both are one portal group.

path_portal=(127.0.0.1:0 127.0.0.1:0)
path_pid=(0 0)

# start_path N: 0 or 1; on its old port if it had one
start_path() {
  local dir=$work/path$1
  mkdir -p "$dir"
  rm -f "$dir/port"
  echo '[]' >"$dir/rules.json"
  python3 "$tools/iscsi_proxy.py" --target "127.0.0.1:$tgt_port" --rules "$dir/rules.json" \
    --trace "$dir/trace.json" --port-file "$dir/port" --port "${path_portal[$1]#*:}" >>"$dir/log" 2>&1 &
  path_pid[$1]=$!
  note_process "${path_pid[$1]}"
  on_exit end_process "${path_pid[$1]}"
  wait_until 10 test -s "$dir/port" || fail "path $1 does not start: $(cat "$dir/log")"
  path_portal[$1]=127.0.0.1:$(cat "$dir/port")
}
# cut_path N: the connection is reset, and nobody listens there any more
cut_path() {
  kill -9 "${path_pid[$1]}"
  wait "${path_pid[$1]}" 2>/dev/null || true
}

path_url() { echo "iscsi://${path_portal[$1]}/$iqn/1"; }
# path_is N STATE: what the status says of the path; has_failed_over COUNT
path_is() {
  [[ $(status_of "$mnt" | jq -r --arg portal "${path_portal[$1]}" \
    '.sessions[0].paths[] | select(.portal == $portal) | .state') == "$2" ]]
}
failovers() { status_of "$mnt" | jq .sessions[0].failovers; }

# serve_paths: a VG behind both, without a volatile cache, mounted over the first with the second beside it; more
# options may follow
serve_paths() {
  simple_vg "$work/lun.img"
  serve "$work/lun.img"
  without_cache
  start_path 0
  start_path 1
  mount_lunfs "$(path_url 0)" "$mnt" -o "portal=${path_portal[1]}${1:+,$1}"
}
read_one() { bounded 40 dd if="$mnt/disk" of=/dev/null bs=64k count=1 iflag=direct status=none; }
