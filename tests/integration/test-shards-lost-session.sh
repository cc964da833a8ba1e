#!/bin/bash
# A session that is lost and does not come back holds up what its thread has read before, and nothing else: the others
# take all that comes then. Without any session names and sizes are told, waits end, and the mount can be ended. @timeout=240

. "$(dirname "$0")/functions.sh"

requires fio
simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
read_one() { bounded "$1" dd if="$mnt/disk" of="$work/read" bs=64k count=1 skip="$2" iflag=direct status=none; }

commands_of() { status_of "$mnt" | jq ".sessions[$1].commands"; }

# begin [TIMEOUT]: two sessions; the mount's first connection is the first thread's
begin() {
  rules '[]'
  : >"$work/trace.json"
  mount_lunfs "$(proxy_url)" "$mnt" -o "sessions=2,cache=none,timeout=${1:-60}"
  first=$(jq -s 'map(.connection) | min' "$work/trace.json")
}
# lose FIRST LAST: breaks these connections at their next command; none that is made later works
lose() {
  local made
  made=$(jq -s 'map(.connection) | max' "$work/trace.json")
  rules "[{\"id\": \"new\", \"op\": \"any\", \"connections\": [$((made + 1)), 99999], \"action\": \"drop_before\"},
    {\"id\": \"old\", \"op\": \"any\", \"connections\": [$1, $2], \"action\": \"drop_before\"}]"
}

# load: enough reads at once that both threads get some; they end once every session serves again
load() {
  bounded 90 fio --name=load --filename="$mnt/disk" --rw=randread --bs=4k --iodepth=16 --ioengine=libaio --direct=1 \
    --size=8m --minimal >"$work/fio.log" 2>&1 &
  load=$!
}

for lost in 0 1; do
  begin
  lose $((first + lost)) $((first + lost))
  load
  wait_until 10 a_session_is "$mnt" lost || fail "no session is lost"
  begun=$SECONDS
  for ((i = 0; i < 100; i++)); do
    read_one 10 $((i % 16)) || fail "read $i waits for the lost session $lost"
    assert_same_bytes "$work/read" <(dd if="$work/lun.img.disk" bs=64k count=1 skip=$((i % 16)) status=none) "read $i"
  done
  assert_less $((SECONDS - begun)) 20 "seconds for 100 reads"
  a_session_is "$mnt" lost || fail "session $lost is back too early"
  # Back again, it serves what waited, and takes its share of what comes.
  rules '[]'
  wait_until 15 session_is "$mnt" up || fail "session $lost does not come back"
  wait "$load" || fail "a read that waited for session $lost fails: $(cat "$work/fio.log")"
  before=$(commands_of "$lost")
  works_again() {
    load
    wait "$load" || fail "a read fails"
    (($(commands_of "$lost") > before))
  }
  wait_until 20 works_again || fail "session $lost takes no requests any more"
  unmount "$mnt"
done

# The first session is away: the end of the mount is seen nevertheless, though its thread reads nothing.
begin 5
lose "$first" "$first"
load
wait_until 10 a_session_is "$mnt" lost || fail "no session is lost"
umount -f "$mnt" 2>/dev/null || true  # busy, but the connection is aborted
wait_until 15 no_daemon_of "$mnt" || fail "the daemon does not see the end of its mount"
! is_mounted "$mnt" || umount -l "$mnt"
wait "$load" || true  # what the other session had answered before the end was right

# Both are away.
begin
lose 0 99999
load
wait_until 10 a_session_is "$mnt" lost || fail "no session is lost"
read_one 60 0 &  # what comes then is the other's
reader=$!
wait_until 10 session_is "$mnt" lost || fail "not both sessions are lost"
bounded 2 ls -la "$mnt" >/dev/null || fail "ls waits"
bounded 2 df "$mnt" >/dev/null || fail "df waits"
rules '[]'
wait_until 15 session_is "$mnt" up || fail "the sessions do not come back"
wait "$load" "$reader" || fail "a read that waited fails"
unmount "$mnt"
