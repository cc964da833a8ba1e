# A private tgtd on loopback. Sourced by functions.sh.
#
# start_tgtd sets tgt_port, tgt_pid, tgt_control; the server ends with the test.

iqn=iqn.2026-11.example:sr

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_tgtd() {
  requires tgtd tgtadm
  requires_root
  local attempt
  # Port and control socket are free when chosen, not reserved: another test may be quicker.
  for attempt in 1 2 3 4 5; do
    tgt_port=$(free_port)
    tgt_control=$((100 + RANDOM % 29900))
    [[ ! -e /var/run/tgtd/socket.$tgt_control ]] || continue
    tgtd -f -C "$tgt_control" --iscsi "portal=127.0.0.1:$tgt_port" >"$work/tgtd.log" 2>&1 &
    tgt_pid=$!
    note_process "$tgt_pid"
    on_exit stop_tgtd "$tgt_pid" "$tgt_control"
    if wait_until 10 tgtd_ready_or_gone && ! process_gone "$tgt_pid"; then return 0; fi
    kill -9 "$tgt_pid" 2>/dev/null || true
  done
  fail "tgtd does not start"
}

tgtd_ready_or_gone() {
  process_gone "$tgt_pid" || bounded 5 tgtadm -C "$tgt_control" --lld iscsi --op show --mode target >/dev/null 2>&1
}

stop_tgtd() {
  # tgtd answers SIGTERM only when no session is open; nothing of its state is worth keeping.
  kill -9 "$1" 2>/dev/null
  wait "$1" 2>/dev/null
  # Its own files only: the number is another server's if that was quicker at the start.
  if grep -q " /var/run/tgtd/socket.$2\$" /proc/net/unix; then return 0; fi
  rm -f "/var/run/tgtd/socket.$2" "/var/run/tgtd/socket.$2.lock"
}

tgt() { bounded 20 tgtadm -C "$tgt_control" --lld iscsi "$@"; }

# new_target TID IQN: a target that every initiator may see
new_target() {
  tgt --op new --mode target --tid "$1" --targetname "$2"
  tgt --op bind --mode target --tid "$1" --initiator-address ALL
}

# new_lun TID LUN FILE [BLOCKSIZE] [thin]
new_lun() {
  local size=${4:-512}
  tgt --op new --mode logicalunit --tid "$1" --lun "$2" --backing-store "$3" --blocksize "$size"
  if [[ ${5:-} == thin ]]; then
    tgt --op update --mode logicalunit --tid "$1" --lun "$2" --params thin_provisioning=1
  fi
}

# chap_account TID USER SECRET [--outgoing]: what an initiator must prove, or the target will
chap_account() {
  tgt --op new --mode account --user "$2" --password "$3"
  tgt --op bind --mode account --tid "$1" --user "$2" ${4:+"$4"}
}

# serve IMAGE [BLOCKSIZE] [thin]: the usual case: one target $iqn without CHAP, IMAGE as its LUN 1
serve() {
  start_tgtd
  new_target 1 "$iqn"
  new_lun 1 1 "$@"
}

# lun_url [LUN] [USER]
lun_url() { echo "iscsi://${2:+$2@}127.0.0.1:$tgt_port/$iqn/${1:-1}"; }

# sessions_of TID: how many sessions are open
sessions_of() { tgt --op show --mode conn --tid "$1" | grep -c '^Session:' || true; }
no_session_left() { [[ $(sessions_of 1) == 0 ]]; }

# write_credentials FILE SECTION KEY=VALUE...
write_credentials() {
  local file=$1 section=$2
  shift 2
  (umask 077 && { echo "[$section]" && printf '%s\n' "$@"; } >"$file")
}

# without_cache: LUN 1 has no volatile cache from now on (caching mode page with WCE=0)
without_cache() {
  tgt --op update --mode logicalunit --tid 1 --lun 1 \
    --params 'mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0'
}

# serve_again IMAGE [COMMAND]: a new tgtd on the port of the one that was killed, with IMAGE as its LUN 1;
# COMMAND runs before initiators are let in
serve_again() {
  wait "$tgt_pid" 2>/dev/null || true
  # Not by RANDOM, which is a test's own: its seed would give several runs at once the same numbers.
  tgt_control=$(shuf -i 30000-32000 -n 1)
  while [[ -e /var/run/tgtd/socket.$tgt_control ]]; do ((tgt_control += 1)); done
  tgtd -f -C "$tgt_control" --iscsi "portal=127.0.0.1:$tgt_port" >"$work/tgtd.log" 2>&1 &
  tgt_pid=$!
  note_process "$tgt_pid"
  on_exit stop_tgtd "$tgt_pid" "$tgt_control"
  wait_until 10 tgtd_ready_or_gone || fail "tgtd is not back"
  process_gone "$tgt_pid" && fail "tgtd is not back"
  tgt --op new --mode target --tid 1 --targetname "$iqn"
  new_lun 1 1 "$1"
  "${2:-true}"
  tgt --op bind --mode target --tid 1 --initiator-address ALL
}

# session_is DIR STATE: what status.json says of the session, of several of each
session_is() { [[ $(status_of "$1" | jq -r '[.sessions[].state] | unique | join(" ")') == "$2" ]]; }
# a_session_is DIR STATE: of one at least
a_session_is() { [[ $(status_of "$1" | jq --arg state "$2" 'any(.sessions[]; .state == $state)') == true ]]; }
# outages_of DIR: how often sessions were lost, all together
outages_of() { status_of "$1" | jq '[.sessions[].outages] | add'; }
