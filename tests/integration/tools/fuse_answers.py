#!/usr/bin/env python3
"""Reads what a FUSE daemon got and gave, as strace saw it, and looks for ENOSYS.

  fuse_answers.py STRACE_OUTPUT    of: strace -f -P /dev/fuse -e trace=read,write,writev -xx -s 16

Prints "REQUESTS answers, ENOSYS to: OPCODES". Opcodes that came into the kernel after FUSE 3.14's
library (TMPFILE 51, STATX 52, COPY_FILE_RANGE_64 53, ...) are left out: the library answers those
itself, and to the kernel ENOSYS there means "use the older one".
"""
import re
import struct
import sys

ENOSYS = 38
LAST_KNOWN_OPCODE = 47  # FUSE_COPY_FILE_RANGE
HEADER = re.compile(r'(?:read\(\d+, |iov_base=|write\(\d+, )"((?:\\x[0-9a-f]{2}){16})"')


def main(path):
    opcodes, answers, refused = {}, 0, []
    with open(path, encoding="ascii") as file:
        for line in file:
            found = HEADER.search(line)
            if not found:
                continue
            header = bytes.fromhex(found.group(1).replace("\\x", ""))
            _, middle, unique = struct.unpack("<IiQ", header)
            if "read(" in line:
                opcodes[unique] = middle
                continue
            answers += 1
            opcode = opcodes.get(unique, 0)
            if middle == -ENOSYS and opcode <= LAST_KNOWN_OPCODE:
                refused.append(opcode)
    print(f"{answers} answers, ENOSYS to: {' '.join(map(str, sorted(set(refused))))}")


main(sys.argv[1])
