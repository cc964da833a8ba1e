#!/bin/bash
# Where the name cannot be stored the old one stays as it is, nothing is left beside it, and the error says why
# and what to do: a full disk, a read-only one, what is no file. Many changes at once leave one whole file. @short

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires setpriv flock
own_host
old=iqn.2001-05.com.example:old
new=iqn.2001-05.com.example:new
set_fails() { # STATUS WHAT CAUSE REMEDY FILE
  tool_fails "$1" "$2" "$3" "$4" lunfs-iqn set "$new" --file "$5"
}

# A disk of one page, which the file fills.
mkdir "$work/disk"
mount -t tmpfs -o size=4k,nr_inodes=8 tmpfs "$work/disk"
on_exit umount -l "$work/disk"
file=$work/disk/initiatorname.iscsi
{ echo "InitiatorName=$old" && head -c 3000 /dev/zero | tr '\0' '#'; } >"$file"
cp "$file" "$work/before"
set_fails 1 "writing $file: No space left on device" 'the disk is full, or a quota is used up' \
  'make room and try again; the name is unchanged' "$file"
assert_same_bytes "$work/before" "$file" "the file on the full disk"
assert_equal initiatorname.iscsi "$(ls -A "$work/disk")" "files on the full disk"

iqn_ends_with 0 set "$old"
mount --bind /etc/iscsi /etc/iscsi
mount -o remount,bind,ro /etc/iscsi
for command in "set $new" 'generate --write'; do
  tool_fails 1 "writing beside $host_name_file: Read-only file system" 'its file system is mounted read-only' \
    'mount it for writing, or name another file; the name is unchanged' lunfs-iqn $command
done
assert_equal "$old" "$(name_in "$host_name_file")" "the name on a read-only disk"
umount /etc/iscsi

# What is no file, or is somewhere else than it seems.
mkdir "$work/folder"
mkfifo "$work/fifo"
ln -s circle "$work/circle"
for place in folder fifo; do
  set_fails 7 "$work/$place: not a regular file" 'something else has the name of the file' '.*' "$work/$place"
  tool_fails 7 "$work/$place: not a regular file" '.*' '.*' lunfs-iqn show --file "$work/$place"
done
set_fails 1 "$work/circle: Too many levels of symbolic links" '.*' '.*' "$work/circle"
set_fails 7 'the path of the file of the name is empty' '.*' '.*' ''
(cd "$work/folder" && iqn_ends_with 0 set "$new" --file name && iqn_ends_with 0 show --file ./name)
assert_equal "$new" "$(name_in "$work/folder/name")" "the name in a file of the current folder"
printf 'InitiatorName=%s\r\nInitiatorAlias=web 1\r\n' "$old" >"$work/crlf"
iqn_ends_with 0 set "$new" --file "$work/crlf"
assert_equal "$(printf 'InitiatorName=%s\r\nInitiatorAlias=web 1\r\n' "$new")" "$(cat "$work/crlf")" "line ends of the file"

# Lists that cannot be read, and the largest that a pool could have.
run_check() { tool_status=0 && tool_out=$("${LUNFS%/*}/lunfs-iqn" check - "$@" 2>&1) || tool_status=$?; }
run_check <"$work/folder"
assert_equal 1 "$tool_status" "status for a list that is a folder"
assert_contains "$tool_out" '^lunfs-iqn: the list cannot be read$' "a list that is a folder"
for ((i = 0; i < 10000; i++)); do echo "iqn.2001-05.com.example:host$((i % 9999))"; done >"$work/many"
start=$SECONDS
run_check <"$work/many"
assert_less $((SECONDS - start)) 10 "seconds for ten thousand names"
assert_equal "line 10000: iqn.2001-05.com.example:host0: the same name as line 1: two hosts must not share one" \
  "$tool_out" "one duplicate of ten thousand"
printf 'iqn.2001-05.com.example:a\033[31m\0b\n\xff\xfe\n' >"$work/odd"
run_check <"$work/odd"
assert_lacks "$tool_out" $'\033' "control characters of a list"
run_check --json <"$work/odd"
assert_equal 2 "$(jq '.names | length' <<<"$tool_out")" "names of the list as JSON"

# Many at once, and one behind somebody who does not come to an end.
for ((i = 0; i < 20; i++)); do
  "${LUNFS%/*}/lunfs-iqn" set "$new$i" --alias "host $i" --file "$work/shared" >/dev/null 2>&1 &
  changes[i]=$!
done
for pid in "${changes[@]}"; do wait "$pid" || fail "a change failed beside others"; done
number=$(sed -n "s/^InitiatorName=$new//p" "$work/shared")
assert_equal "InitiatorName=$new$number
InitiatorAlias=host $number" "$(cat "$work/shared")" "the file after many changes at once"
flock "$work/folder" sleep 30 &
on_exit end_process $!
wait_until 10 bash -c '! flock --nonblock "$0" true' "$work/folder" || fail "no lock on the folder"
set_fails 28 "$work/folder: somebody else holds a lock on the directory" '.*' '.*' "$work/folder/other"

# Somebody without a name of his own goes by root's, also while it is in use.
chmod 644 "$host_name_file"
cp "${LUNFS%/*}/lunfs-iqn" "$work/tool"
mkdir "$work/home"
chown 65534:65534 "$work/home"
as_nobody() {
  bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
    env -u XDG_CONFIG_HOME -u XDG_RUNTIME_DIR "HOME=$work/home" "$work/tool" "$@"
}
assert_contains "$(as_nobody show)" "^name +$old$" "the name of a user without one"
kernel_session "$old" iqn.2001-05.com.array:pool
said=$(as_nobody set "$new" 2>&1) || fail "the kernel's session is in a user's way: $said"
assert_contains "$said" "replaces $old: allow the new name in the access list of each array" "what a user is told"

# His own mount stands under root's name, as its daemon tells: then the first name of his own waits for it.
rm -r "$work/home/.config"
mkdir -p "$work/run/lunfs"
python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
s.listen()
while True:
    peer = s.accept()[0]
    peer.recv(4096)
    peer.sendall(sys.argv[2].encode() + b"\n")
    peer.close()' "$work/run/lunfs/mount.sock" \
  "{\"mount_point\": \"/mnt/own\", \"pid\": 77, \"sessions\": [{\"initiator\": \"$old\", \"state\": \"up\"}]}" &
note_process $!
on_exit end_process $!
wait_until 10 test -S "$work/run/lunfs/mount.sock"
chown -R 65534:65534 "$work/run"
chmod 700 "$work/run/lunfs"
as_nobody_with_mount() {
  tool_status=0
  tool_err=$(bounded 60 setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_CONFIG_HOME \
    "XDG_RUNTIME_DIR=$work/run" "HOME=$work/home" "$work/tool" "$@" 2>&1) || tool_status=$?
}
as_nobody_with_mount set "$new"
assert_equal 28 "$tool_status" "status while the user's mount uses root's name ($tool_err)"
assert_contains "$tool_err" '^    the lunfs mount /mnt/own \(pid 77\)$' "who is in the way"
[[ ! -e $work/home/.config/lunfs/initiatorname.iscsi ]] || fail "a name was stored although it was refused"
as_nobody_with_mount set "$old"
assert_equal 0 "$tool_status" "status of the name that is in use anyway ($tool_err)"
as_nobody_with_mount set "$new" --force
assert_equal 0 "$tool_status" "status of --force ($tool_err)"
