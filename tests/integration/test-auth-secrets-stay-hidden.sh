#!/bin/bash
# No secret stands in a process list, an environment, a log of any level, a mount table, status.json, metrics, an answer of
# the control socket, an error text, what a tool prints or anything of /proc that another user can read. @short

. "$(dirname "$0")/functions.sh"

requires setpriv
secret=unmistakable-$RANDOM-$RANDOM
simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice "$secret"
chap_account 1 array "in-$secret" --outgoing
write_credentials "$work/credentials" default username=alice "password=$secret" username_in=array "password_in=in-$secret" \
  discovery_username=alice "discovery_password=$secret"

# hidden_in PLACE...: no file or folder has the secret
hidden_in() {
  local found
  found=$(bounded 60 grep -raFl -D skip -- "$secret" "$@" 2>/dev/null || true)
  [[ -z $found ]] || fail "the secret stands in $found"
}
# as_other COMMAND...: a user who is neither the daemon's nor root
as_other() { bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
# hidden_from_others PID: in all that such a user can read of a process; says how many files that were
hidden_from_others() {
  as_other find "/proc/$1" -type f -readable -print0 >"$work/readable" 2>/dev/null || true
  as_other xargs -0 grep -aFl -- "$secret" <"$work/readable" >"$work/found" 2>/dev/null || true
  [[ ! -s $work/found ]] || fail "another user reads the secret in $(cat "$work/found")"
  tr '\0' '\n' <"$work/readable" | wc -l
}

mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
pid=$(daemons_of "$mnt")
for process in "$pid" "$(watchers_of "$mnt")"; do
  assert_less 20 "$(hidden_from_others "$process")" "files of /proc/$process that another user can read"
  hidden_in "/proc/$process/cmdline" "/proc/$process/environ"
done
[[ -s $log ]] || fail "no log to look into"
hidden_in "$log" /proc/self/mountinfo "$work/mount.out" "$mnt/.lunfs/status.json" "$mnt/.lunfs/metrics"
assert_lacks "$(ps -eo args; findmnt; mount; df -hT "$mnt")" "$secret" "the process list and the mount tables"
for how in info 'info --json'; do tool lunfs-sr $how "$mnt" && hidden_in "$work/tool.out"; done
for how in list info; do tool lunfs-vdi $how --json "$mnt" && hidden_in "$work/tool.out"; done
bounded 20 python3 - "$mnt/.lunfs/status.json" >"$work/answers" <<'PYTHON'
import json, socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(10)
peer.connect(json.load(open(sys.argv[1]))["control_socket"])
peer.sendall(b'{"id":1,"command":"status"}\n{"id":2,"command":"session"}\n{"id":3,"command":"nonsense"}\n')
lines = peer.makefile()
print(*(lines.readline() for _ in range(3)))
PYTHON
hidden_in "$work/answers"
unmount "$mnt"

echo "levels of the log:"
for level in error warn info; do
  rm "$log"
  mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=$level"
  kill -TERM "$(daemons_of "$mnt")"
  wait_until 20 no_process_of "$mnt" || fail "$level: the daemon does not end"
  hidden_in "$log" "$work/mount.out"
done

echo "tools:"
for how in '' --json --xml; do
  probe --credentials "$work/credentials" $how
  hidden_in "$work/tool.out"
done
tool lunfs-iqn verify "127.0.0.1:$tgt_port" --hold 1 --initiator "$initiator" --credentials "$work/credentials"
hidden_in "$work/tool.out"

echo "a login that is refused, a target that is unknown, a file that is wrong:"
write_credentials "$work/credentials" default username=alice "password=x$secret" discovery_username=alice "discovery_password=y$secret"
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
hidden_in "$work/mount.out" "$log"
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug" -d
hidden_in "$work/mount.out" "$log"
probe --credentials "$work/credentials"
assert_contains "$tool_out" ' refused' "what a probe tells of the target"
hidden_in "$work/tool.out"
run_tool lunfs-iqn verify "127.0.0.1:$tgt_port" --hold 1 --initiator "$initiator" --credentials "$work/credentials"
hidden_in "$work/tool.out" "$work/tool.err"
refused 21 "iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:unknown/1" "$mnt" -o "credentials=$work/credentials,log=debug"
hidden_in "$work/mount.out" "$log"
write_credentials "$work/credentials" default username=alice "$secret"
refused 7 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
hidden_in "$work/mount.out" "$log"
run_tool lunfs-sr probe "127.0.0.1:$tgt_port" --initiator "$initiator" --credentials "$work/credentials"
assert_equal 7 "$tool_status" "status of a probe with that file"
hidden_in "$work/tool.out" "$work/tool.err"
refused 7 "iscsi://alice%$secret@127.0.0.1:$tgt_port/$iqn/1" "$mnt" -o log=debug
hidden_in "$work/mount.out" "$log"
