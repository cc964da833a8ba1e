#!/usr/bin/env python3
"""Reads and writes of many threads, each checked against a model, for a time in which anything may fail.

  soak_io.py FOLDER MODELS SECONDS SEED NAME...

Every NAME is a file in FOLDER; its content at the beginning is in MODELS/NAME, and in the end again
what it has to hold. Each thread has a part of one file for itself and does random reads, writes and
fsyncs of all sizes, buffered and O_DIRECT. SIGTERM ends the time.

A call may fail with EIO, no other error, and has to work again after a while; then the same is done
again. Until then the place of a failed write may hold the old bytes, the new ones, or some of both.
A read that gives anything else ends everything with status 1. The last line tells how much was done.
"""
import errno
import mmap
import os
import random
import signal
import sys
import threading
import time

THREADS_OF_A_FILE = 4
LONGEST = 1 << 20
ALIGNMENT = 4096
PATIENCE_S = 90  # for one call that fails again and again


class Broken(Exception):
    """What no fault of a target explains."""


class Count:
    def __init__(self):
        self.lock = threading.Lock()
        self.of = {"reads": 0, "writes": 0, "fsyncs": 0, "errors": 0, "bytes": 0}
        self.slowest = 0.0, "no call"

    def add(self, what, amount=1):
        with self.lock:
            self.of[what] += amount

    def took(self, seconds, what):
        with self.lock:
            self.slowest = max(self.slowest, (seconds, what))


class Worker(threading.Thread):
    """One part of one file, whose model is `model`."""

    def __init__(self, path, first, model, chance, until, count, stop):
        super().__init__(daemon=True)
        self.name = f"{os.path.basename(path)}+{first}"
        self.path = path
        self.first, self.model, self.chance = first, model, chance
        self.until, self.count, self.stop = until, count, stop
        self.failure = None

    def run(self):
        try:
            self.buffered = self.insist(lambda: os.open(self.path, os.O_RDWR), "open")
            self.direct = self.insist(lambda: os.open(self.path, os.O_RDWR | os.O_DIRECT), "open")
            while time.monotonic() < self.until and not self.stop.is_set():
                self.step()
            self.sync()
            self.check(0, len(self.model), True)
            for handle in (self.buffered, self.direct):
                self.insist(lambda handle=handle: os.fsync(handle), "fsync")
                os.close(handle)
        except Exception as failure:  # told by main()
            self.failure = failure
            self.stop.set()

    def step(self):
        kind = self.chance.random()
        if kind < 0.02:
            self.sync()
            return
        aligned = self.chance.random() < 0.7
        offset, length = self.span(aligned)
        if kind < 0.5:
            self.check(offset, length, aligned)
        else:
            self.write(offset, self.chance.randbytes(length), aligned)

    def span(self, aligned):
        length = int(2 ** self.chance.uniform(0, LONGEST.bit_length() - 1)) + self.chance.randrange(3)
        offset = self.chance.randrange(len(self.model))
        if aligned:
            offset -= offset % ALIGNMENT
            length += -length % ALIGNMENT
        return offset, min(length, len(self.model) - offset)

    def insist(self, call, what):
        """Does it again until it works."""
        begun = time.monotonic()
        while True:
            started = time.monotonic()
            try:
                return call()
            except OSError as error:
                self.count.add("errors")
                if error.errno != errno.EIO:
                    raise Broken(f"{self.name}: {what}: {error}") from error
                if time.monotonic() - begun > PATIENCE_S:
                    raise Broken(f"{self.name}: {what} fails for {PATIENCE_S} s") from error
                time.sleep(0.1)
            finally:
                self.count.took(time.monotonic() - started, f"{self.name}: {what}")

    def write(self, offset, data, aligned):
        def once():
            with mmap.mmap(-1, len(data)) as page:  # O_DIRECT wants memory on a page boundary
                page.write(data)
                done = os.pwritev(self.direct if aligned else self.buffered, [page], self.first + offset)
            if done != len(data):  # the rest of a write that met a fault has the error
                raise OSError(errno.EIO, f"{done} of {len(data)} bytes")

        self.insist(once, f"write of {len(data)} at {offset}")
        self.model[offset:offset + len(data)] = data
        self.count.add("writes")
        self.count.add("bytes", len(data))

    def check(self, offset, length, aligned):
        def once():
            with mmap.mmap(-1, length) as page:
                done = os.preadv(self.direct if aligned else self.buffered, [page], self.first + offset)
                if done != length:  # the page cache hands out what came before the fault
                    raise OSError(errno.EIO, f"{done} of {length} bytes")
                return page[:]

        got = self.insist(once, f"read of {length} at {offset}")
        want = self.model[offset:offset + length]
        self.count.add("reads")
        self.count.add("bytes", length)
        if got != want:
            wrong = next(i for i in range(length) if got[i] != want[i])
            raise Broken(f"{self.name}: read of {length} at {offset}: byte {offset + wrong} of the part is wrong")

    def sync(self):
        self.insist(lambda: os.fsync(self.buffered), "fsync")
        self.count.add("fsyncs")


def main(folder, models, seconds, seed, *names):
    chance, until, count, stop = random.Random(int(seed)), time.monotonic() + float(seconds), Count(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    contents, workers = {}, []
    for name in names:
        with open(os.path.join(models, name), "rb") as file:
            contents[name] = bytearray(file.read())
        view = memoryview(contents[name])
        part = len(view) // THREADS_OF_A_FILE // ALIGNMENT * ALIGNMENT
        for i in range(THREADS_OF_A_FILE):
            workers.append(Worker(os.path.join(folder, name), i * part, view[i * part:(i + 1) * part],
                                  random.Random(chance.random()), until, count, stop))
    for worker in workers:
        worker.start()
    for worker in workers:
        # The last calls of a thread may insist; one that does not end at all hangs, and so does what it called.
        worker.join(max(0, until - time.monotonic()) + 4 * PATIENCE_S)
        if worker.is_alive():
            raise SystemExit(f"soak_io: {worker.name} hangs")
    failures = [worker.failure for worker in workers if worker.failure]
    for failure in failures:
        print(f"soak_io: {failure!r}", file=sys.stderr)
    for name, content in contents.items():
        with open(os.path.join(models, name), "wb") as file:
            file.write(content)
    done = ", ".join(f"{amount} {what}" for what, amount in count.of.items())
    seconds, what = count.slowest
    print(f"{done}, {seconds:.1f} s the slowest call ({what})")
    raise SystemExit(1 if failures else 0)


main(*sys.argv[1:])
