#!/bin/bash
# A malformed line on the control socket is answered as an error and harms nobody; status answers. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
mount_lunfs "$work/lun.img" "$mnt"
ask() {
  bounded 20 python3 - "$mnt/.lunfs/status.json" "$1" <<'PYTHON'
import json, socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(10)
peer.connect(json.load(open(sys.argv[1]))["control_socket"])
peer.sendall(sys.argv[2].encode() + b"\n")
print(peer.makefile().readline())
PYTHON
}
for line in '{"id":1,"command":5}' '{"id":1}' '{"id":"x","command":"status"}' '[]' 'nonsense' '{"id":1,"command":"frob"}'; do
  assert_contains "$(ask "$line")" '"error"' "answer to $line"
done
assert_contains "$(ask '{"id":7,"command":"status"}')" '"id":7,"status":\{' "answer to status"
ls "$mnt" >/dev/null || fail "the mount is gone"
