#!/usr/bin/env python3
"""Reads or writes the first blocks of a file, each by a call of its own, and tells how the calls ended.

  block_calls.py read|write FILE COUNT

Blocks of 4 KiB, O_DIRECT, 32 calls at a time. Prints {"ended": {"ok" or the errno's name: calls}, "slowest_ms"}:
the time of the slowest call. (fio leaves calls that fail out of its latencies.)
"""
import collections
import concurrent.futures
import errno
import json
import mmap
import os
import sys
import time

BLOCK = 4096
AT_A_TIME = 32


def main(operation, path, count):
    file = os.open(path, os.O_RDWR | os.O_DIRECT)
    call = {"read": os.preadv, "write": os.pwritev}[operation]

    def one(block):
        ended = "ok"
        with mmap.mmap(-1, BLOCK) as page:  # O_DIRECT wants memory on a page boundary
            started = time.monotonic()
            try:
                call(file, [page], block * BLOCK)
            except OSError as failure:
                ended = errno.errorcode[failure.errno]
            return ended, time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        calls = list(pool.map(one, range(int(count))))
    ended = collections.Counter(how for how, _ in calls)
    print(json.dumps({"ended": ended, "slowest_ms": round(1000 * max(took for _, took in calls))}))


main(*sys.argv[1:])
