#!/bin/bash
# The systemd unit is one that systemd takes, and with the rights and the environment that it gives, root's daemon mounts,
# writes and unmounts. (There is no systemd to start it here: its words are carried out by hand.)

. "$(dirname "$0")/functions.sh"

requires_root
requires setpriv prlimit systemd-analyze
unit=$(dirname "$(readlink -f "$LUNFS")")/../packaging/lunfs@.service
[[ -f $unit ]] || skip "no unit beside the build of $LUNFS"
sed "s|^ExecStart=[^ ]*|ExecStart=$LUNFS|" "$unit" >"$work/lunfs@.service"

echo "systemd-analyze verify:"
# It loads other units of the machine too: only what it says of ours counts.
verify() { bounded 60 systemd-analyze verify --man=no "$1" 2>&1 || true; }
assert_lacks "$(verify "$work/lunfs@.service")" 'lunfs@' "what systemd says of the unit"
mkdir "$work/wrong"
sed 's/^Type=.*/Type=notfy/' "$work/lunfs@.service" >"$work/wrong/lunfs@.service"
assert_contains "$(verify "$work/wrong/lunfs@.service")" 'lunfs@.*notfy' "what systemd says of a wrong unit"

# the_units KEY: its value
the_units() { sed -n "s/^$1=//p" "$unit"; }
assert_equal notify "$(the_units Type)" "Type"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
# LoadCredential=lunfs:FILE puts the file there; CapabilityBoundingSet, NoNewPrivileges and LimitCORE by setpriv and
# prlimit; EnvironmentFile as bash reads it.
assert_contains "$(the_units LoadCredential)" '^lunfs:/etc/lunfs/credentials$' "LoadCredential"
mkdir "$work/given"
write_credentials "$work/given/lunfs" default username=alice password=secret-of-alice
chmod 400 "$work/given/lunfs"
bounding=$(the_units CapabilityBoundingSet | tr 'A-Z' 'a-z' | sed 's/cap_/+/g; s/ /,/g')
SOURCE=$(lun_url)
OPTIONS=log=debug
read -ra words <<<"$(the_units ExecStart)"
command=("$LUNFS")
for word in "${words[@]:1}"; do
  word=${word//%f/$mnt}
  word=${word//'${SOURCE}'/$SOURCE}
  command+=("${word//'${OPTIONS}'/$OPTIONS}")
done
on_exit release_mount "$mnt"
CREDENTIALS_DIRECTORY=$work/given prlimit --core=0 setpriv --bounding-set="-all,$bounding" --inh-caps=-all --no-new-privs \
  "${command[@]}" 2>"$work/stderr.log" &
pid=$!
note_process $pid
wait_until 20 is_mounted "$mnt" || fail "no mount with the unit's rights: ${command[*]}"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "contents"
dd if=/dev/zero of="$mnt/disk" bs=1M count=1 conv=notrunc status=none || fail "cannot write"
kill -TERM $pid
status=0
wait $pid || status=$?
assert_equal 0 $status "exit status"
wait_until 5 not_mounted "$mnt" || fail "still mounted"
wait_until 5 no_session_left || fail "a session is left"
