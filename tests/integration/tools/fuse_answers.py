#!/usr/bin/env python3
"""Reads what a FUSE daemon got and gave, as strace saw it, and looks for ENOSYS.

  fuse_answers.py STRACE_OUTPUT    of: strace -f -P /dev/fuse -e trace=read,write,writev -xx -s 16

Prints "REQUESTS answers, ENOSYS to: OPCODES" and "newer than libfuse: OPCODES" (TMPFILE 51, STATX 52,
COPY_FILE_RANGE_64 53: those that were asked). An opcode that is newer than this program is left out:
to the kernel ENOSYS there means "use the older one".
"""
import re
import struct
import sys

ENOSYS = 38
LAST_OF_LIBFUSE = 47  # FUSE_COPY_FILE_RANGE
LAST_KNOWN_OPCODE = 53  # FUSE_COPY_FILE_RANGE_64
# What is read stands behind "resumed" where another thread's call came in between.
HEADER = re.compile(r'(?:read\(\d+, |read resumed>|iov_base=|write\(\d+, )"((?:\\x[0-9a-f]{2}){16})"')


def listed(opcodes):
    return " ".join(map(str, sorted(opcodes)))


def main(path):
    opcodes, answers, refused, newer = {}, 0, set(), set()
    with open(path, encoding="ascii") as file:
        for line in file:
            found = HEADER.search(line)
            if not found:
                continue
            header = bytes.fromhex(found.group(1).replace("\\x", ""))
            _, middle, unique = struct.unpack("<IiQ", header)
            if "read(" in line or "read resumed>" in line:
                opcodes[unique] = middle
                if LAST_OF_LIBFUSE < middle <= LAST_KNOWN_OPCODE:
                    newer.add(middle)
                continue
            answers += 1
            opcode = opcodes.get(unique, 0)
            if middle == -ENOSYS and opcode <= LAST_KNOWN_OPCODE:
                refused.add(opcode)
    print(f"{answers} answers, ENOSYS to: {listed(refused)}")
    print(f"newer than libfuse: {listed(newer)}")


main(sys.argv[1])
