#!/usr/bin/env python3
"""One block after the other, written and read back, for ever: what a caller meets during a fault.

  faults_io.py FILE REPORT

At the end (SIGTERM): calls, failed calls, wrong blocks, the slowest call and the longest time without a good
one, as JSON in REPORT. FILE is opened anew after a failure, as a patient program would.
"""
import json
import mmap
import os
import random
import signal
import sys
import time

BLOCK = 4096
BLOCKS = 256


class Work:
    def __init__(self, path):
        self.path, self.file, self.known = path, None, {}
        self.calls = self.failed = self.wrong = 0
        self.slowest, self.gap, self.good_at = 0.0, 0.0, time.monotonic()
        self.errors = {}

    def call(self, function, *arguments):
        before = time.monotonic()
        self.calls += 1
        try:
            result = function(*arguments)
        except OSError as error:
            self.failed += 1
            self.errors[error.strerror] = self.errors.get(error.strerror, 0) + 1
            result = None
        now = time.monotonic()
        self.slowest = max(self.slowest, now - before)
        if result is not None:
            self.gap = max(self.gap, now - self.good_at)
            self.good_at = now
        return result

    def step(self, chance, page):
        if self.file is None:
            self.file = self.call(os.open, self.path, os.O_RDWR | os.O_DIRECT)
            if self.file is None:
                return time.sleep(0.05)
        block = chance.randrange(BLOCKS)
        page[:] = chance.randbytes(BLOCK)
        written = page[:]
        if self.call(os.pwritev, self.file, [page], block * BLOCK) is None:
            self.known.pop(block, None)  # either is right from now on
            return self.reopen()
        self.known[block] = written
        block = chance.choice(list(self.known))
        if self.call(os.preadv, self.file, [page], block * BLOCK) is None:
            return self.reopen()
        self.wrong += page[:] != self.known[block]
        return time.sleep(0.002)

    def reopen(self):
        try:
            os.close(self.file)
        except OSError:
            pass  # told by the call before
        self.file = None
        time.sleep(0.05)


def main(path, report):
    work, chance, page = Work(path), random.Random(1), mmap.mmap(-1, BLOCK)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        work.step(chance, page)
    facts = {"calls": work.calls, "failed": work.failed, "wrong": work.wrong, "slowest_s": round(work.slowest, 2),
             "longest_gap_s": round(max(work.gap, time.monotonic() - work.good_at), 2),
             "works_at_the_end": time.monotonic() - work.good_at < 1, "errors": work.errors}
    with open(report, "w") as out:
        json.dump(facts, out)


main(*sys.argv[1:])
