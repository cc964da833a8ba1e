#!/usr/bin/env python3
"""Many clients with many open files each, at random, every block checked against a model.

  many_clients.py MODELS SECONDS CLIENTS HANDLES FILE...

MODELS holds a file of the same name and size for each FILE. Each client is a process with HANDLES open files,
half of them O_DIRECT; each handle has blocks of its own. Ends with fsync. Prints calls and the slowest one.
"""
import mmap
import os
import random
import sys
import time

BLOCK = 4096


class Handle:
    """One open file and the blocks of it that belong to this handle alone."""

    def __init__(self, path, model_path, direct, blocks):
        self.file = os.open(path, os.O_RDWR | (os.O_DIRECT if direct else 0))
        self.model = os.open(model_path, os.O_RDWR)
        self.blocks = blocks

    def write(self, page, chance):
        offset = chance.choice(self.blocks) * BLOCK
        page[:] = chance.randbytes(BLOCK)
        if os.pwritev(self.file, [page], offset) != BLOCK:
            raise SystemExit(f"short write at {offset}")
        os.pwrite(self.model, page, offset)

    def read(self, page, chance):
        offset = chance.choice(self.blocks) * BLOCK
        if os.preadv(self.file, [page], offset) != BLOCK:
            raise SystemExit(f"short read at {offset}")
        if page[:] != os.pread(self.model, BLOCK, offset):
            raise SystemExit(f"wrong bytes at {offset} of a file of {len(self.blocks)} blocks")


def handles_of(client, clients, handles, paths, models):
    """Blocks are dealt out in turn, so that neighbours in a file belong to different clients."""
    result = []
    total = clients * handles
    for number in range(handles):
        path = paths[number % len(paths)]
        model = os.path.join(models, os.path.basename(path))
        mine = client * handles + number
        blocks = range(mine // len(paths), os.path.getsize(model) // BLOCK, total // len(paths))
        result.append(Handle(path, model, number % 2 == 0, blocks))
    return result


def work(client, clients, handles, seconds, paths, models):
    chance = random.Random(client)
    page = mmap.mmap(-1, BLOCK)
    mine = handles_of(client, clients, handles, paths, models)
    calls, slowest, end = 0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        handle = chance.choice(mine)
        before = time.monotonic()
        (handle.write if chance.random() < 0.5 else handle.read)(page, chance)
        slowest = max(slowest, time.monotonic() - before)
        calls += 1
    for handle in mine:
        os.fsync(handle.file)
        os.close(handle.file)
    return calls, slowest


def child(client, pipe, *arguments):
    status = 1
    try:
        os.write(pipe, b"%d %.3f\n" % work(client, *arguments))
        status = 0
    except (OSError, SystemExit) as error:
        print(f"client {client}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def main(models, seconds, clients, handles, *paths):
    clients, handles = int(clients), int(handles)
    if handles % len(paths):
        raise SystemExit("HANDLES must be a multiple of the number of files")
    ours, theirs = os.pipe()
    for client in range(clients):
        if os.fork() == 0:
            child(client, theirs, clients, handles, float(seconds), paths, models)
    os.close(theirs)
    failed = sum(os.wait()[1] != 0 for _ in range(clients))
    with os.fdopen(ours) as told:
        results = [line.split() for line in told]
    if failed:
        raise SystemExit(f"{failed} clients failed")
    print(f"{sum(int(calls) for calls, _ in results)} calls, the slowest {max(float(s) for _, s in results):.1f} s")


main(*sys.argv[1:])
