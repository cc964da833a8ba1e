#!/bin/bash
# Other programs of the user who mounted cannot look into the daemon's memory or environment, nor trace it; the control
# socket and lunfs -u work for him all the same. @short

. "$(dirname "$0")/lib/user.sh"

requires strace jq
simple_vg "$work/lun.img"
give_user "$work/lun.img" "$own/lun.img"
mount_as_user "$own/lun.img"
pid=$(daemons_of "$own/mnt")
for file in mem environ maps stack; do
  assert_fails_with 'Permission denied|Operation not permitted' "${like_user[@]}" head -c 1 "/proc/$pid/$file"
done
assert_fails_with 'Operation not permitted' "${like_user[@]}" strace -p "$pid"

socket=$(as_user jq -r .control_socket "$own/mnt/.lunfs/status.json")
assert_equal "$own/run/lunfs" "$(dirname "$socket")" "where the control socket stands"
answer=$(as_user python3 -c 'import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(10)
peer.connect(sys.argv[1])
peer.sendall(b"{\"id\":1,\"command\":\"status\"}\n")
print(peer.makefile().readline())' "$socket")
assert_equal "$pid" "$(jq .status.pid <<<"$answer")" "the pid in the answer of the control socket"
as_user "$LUNFS" -u "$own/mnt" || fail "lunfs -u fails"
no_sanitizer_report || fail "a sanitizer complains"
