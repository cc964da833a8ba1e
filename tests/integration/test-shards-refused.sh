#!/bin/bash
# A further session that does not come to stand fails the mount, with what to do; nothing stays behind.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
says() { for words in "$@"; do [[ $mount_said == *"$words"* ]] || fail "'$words' is missing in: $mount_said"; done; }

# A target that falls silent once the first session stands.
serve "$work/lun.img"
start_proxy
rules '[{"id": "1", "op": "any", "action": "mute", "skip": 30}]'
try_mount "$(proxy_url)" "$mnt" -o sessions=4,login_timeout=3
((mount_status != 0)) || fail "mounted with a session that does not answer"
says 'session ' ' of 4: ' 'likely cause: ' 'what to do: '
not_mounted "$mnt" || fail "refused, but mounted"
wait_until 10 no_daemon_of "$mnt" || fail "refused, but a process is left"
wait_until 10 no_session_left || fail "refused, but a session is left"
