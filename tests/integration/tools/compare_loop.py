#!/usr/bin/env python3
"""Reads a disk again and again in pieces of all sizes and compares each with a model, until a file
appears. What is read may be right or an error, never anything else.

  compare_loop.py DISK MODEL STOP_FILE SEED

Prints {"reads": N, "errors": N}; status 1 and the place if anything else was read.
"""
import errno
import json
import mmap
import os
import random
import sys

ALIGNED = 4096
MOST_BYTES = 1 << 20


def main(disk, model_path, stop, seed):
    with open(model_path, "rb") as file:
        model = file.read()
    chance = random.Random(int(seed))
    buffer = mmap.mmap(-1, MOST_BYTES)
    counts = {"reads": 0, "errors": 0}
    while not os.path.exists(stop):
        # Past the page cache, or most reads would never reach the program.
        handle = os.open(disk, os.O_RDONLY | os.O_DIRECT)
        for _ in range(50):
            length = min(MOST_BYTES, ALIGNED * chance.choice((1, 1, 3, 16, 100, 256)))
            offset = chance.randrange(0, len(model) - length + 1, ALIGNED)
            try:
                got = os.preadv(handle, [memoryview(buffer)[:length]], offset)
            except OSError as failure:
                if failure.errno != errno.EIO:
                    raise
                counts["errors"] += 1
                continue
            counts["reads"] += 1
            if got != length or buffer[:length] != model[offset : offset + length]:
                wrong = next((i for i in range(got) if buffer[i] != model[offset + i]), got)
                raise SystemExit(f"compare_loop: byte {offset + wrong} of a read of {length} at {offset}: "
                                 f"{buffer[wrong : wrong + 16].hex()} instead of "
                                 f"{model[offset + wrong : offset + wrong + 16].hex()}, after {counts}")
        os.close(handle)
    print(json.dumps(counts))


main(*sys.argv[1:])
