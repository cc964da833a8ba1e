#!/bin/bash
# A fault that lasts does not flood the log; want of space on a thin LUN is said once, until a write succeeds again.

. "$(dirname "$0")/functions.sh"
requires python3

simple_vg "$work/lun.img"
serve "$work/lun.img"
start_proxy
mount_lunfs "$(proxy_url)" "$mnt"
# fail_often FLAGS CALL: it 300 times on the open file, by FLAGS; each must fail
fail_often() {
  bounded 60 python3 -c '
import os, sys
fd = os.open(sys.argv[1], getattr(os, sys.argv[2]) | os.O_DIRECT)
for i in range(300):
    try:
        exec(sys.argv[3])
    except OSError:
        continue
    sys.exit("it succeeded")' "$mnt/disk" "$1" "$2" || fail "$2 under a fault"
}
lines() { grep -cE "$1" "$log" || true; }
out_of_space() { status_of "$mnt" | jq -r .out_of_space; }

rules '[{"id": "1", "op": "read", "lba": [2048, 100000], "action": "sense", "sense": [3, 17, 0]}]'
fail_often O_RDONLY 'os.pread(fd, 4096, i * 4096)'
# Ten in ten seconds; the reads may have taken longer than one such span.
assert_less "$(lines 'read failed \(io\): ')" 50 "lines for 300 failed reads"
rules '[{"id": "2", "op": "write", "action": "sense", "sense": [7, 39, 7]}]'
assert_equal false "$(out_of_space)" "out_of_space before"
fail_often O_RDWR 'os.pwrite(fd, b"x" * 4096, i * 4096)'
assert_equal 1 "$(lines 'out of space: writes fail with ENOSPC')" "lines for 300 writes without space"
assert_contains "$(cat "$log")" 'likely cause: the array.s pool behind this thin LUN' "the log"
assert_equal true "$(out_of_space)" "out_of_space"
assert_equal 0 "$(lines 'write failed \(no_space\)')" "lines for each request"
rules '[]'
dd if=/dev/zero of="$mnt/disk" bs=4k count=1 conv=notrunc oflag=direct status=none || fail "a write with space"
assert_equal false "$(out_of_space)" "out_of_space afterwards"
assert_equal 1 "$(lines 'writes succeed again; 300 were refused for want of space')" "lines for the end of it"
