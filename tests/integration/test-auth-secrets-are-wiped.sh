#!/bin/bash
# Once the session stands the daemon has its secrets for the next login only, in pages that are locked and left out of
# core dumps; its watcher has none; and a daemon that is aborted leaves no core file.

. "$(dirname "$0")/functions.sh"

requires_root
secret=unmistakable-$RANDOM-$RANDOM
simple_vg "$work/lun.img"
serve "$work/lun.img"
with_chap() {
  chap_account 1 alice "$secret"
  chap_account 1 array "in-$secret" --outgoing
}
with_chap
write_credentials "$work/credentials" default username=alice "password=$secret" username_in=array "password_in=in-$secret" \
  discovery_username=alice "discovery_password=$secret"

echo "what the search finds in a process that has it:"
python3 -c 'import sys, time
text = open(sys.argv[1]).read()
print("ready", flush=True)
time.sleep(60)' "$work/credentials" >"$work/ready" &
holder=$!
note_process $holder
on_exit end_process $holder
wait_until 10 test -s "$work/ready"
assert_lacks "$(bounded 30 python3 "$tools/search_memory.py" "$holder" "$secret")" '^0 places, 0 kept' "the control search"

mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "contents"
look_at_memory() {
  assert_contains "$(bounded 30 python3 "$tools/search_memory.py" "$(daemons_of "$mnt")" "$secret")" '^0 places, [1-9][0-9]* kept$' "the daemon $1"
  assert_equal '0 places, 0 kept' "$(bounded 30 python3 "$tools/search_memory.py" "$(watchers_of "$mnt")" "$secret")" "the watcher $1"
}
look_at_memory "after the login"
kill -9 "$tgt_pid"
serve_again "$work/lun.img" with_chap
wait_until 20 session_is "$mnt" up || fail "the session does not come back"
cmp -n 65536 "$mnt/disk" "$work/lun.img.disk" || fail "contents after the next login"
assert_equal 1 "$(status_of "$mnt" | jq '.sessions[0].outages')" "outages"
look_at_memory "after the next login"
unmount "$mnt"

echo "an abort, where core files are allowed:"
mkdir "$work/cores"
cd "$work/cores"
ulimit -c unlimited 2>/dev/null || skip "core files cannot be allowed here"
sleep 100 &
kill -ABRT $!
wait $! 2>/dev/null && fail "the abort of another program did nothing"
[[ $(</proc/sys/kernel/core_pattern) == [\|/]* ]] || assert_contains "$(ls)" ^core "core files of another program"
rm -f core*
# A daemon in the foreground has this directory.
"$LUNFS" "$(lun_url)" "$mnt" -f -o "credentials=$work/credentials" 2>"$work/stderr.log" &
pid=$!
note_process $pid
on_exit release_mount "$mnt"
wait_until 20 is_mounted "$mnt" || fail "no mount"
kill -ABRT $pid
wait $pid && fail "the abort did nothing"
assert_equal "" "$(ls -A "$work/cores")" "core files"
wait_until 20 not_mounted "$mnt" || fail "still mounted"
