#!/usr/bin/env python3
"""Random reads or writes of odd lengths at odd places, the same on a file and on its model.

  random_io.py write FILE MODEL COUNT SEED    the same bytes go to both, buffered and O_DIRECT in
                                              turn; ends with fsync
  random_io.py read  FILE MODEL COUNT SEED    every read must give what the model has
"""
import mmap
import os
import random
import sys

LONGEST = 3 << 20
ALIGNMENT = 4096


def span(chance, size, aligned):
    """Offset and length: mostly short, some long, some up to the very last byte."""
    length = int(2 ** chance.uniform(0, LONGEST.bit_length() - 1)) + chance.randrange(3)
    offset = chance.randrange(size)
    if chance.random() < 0.05:
        offset = max(0, size - length)
    if aligned:
        offset -= offset % ALIGNMENT
        length += -length % ALIGNMENT
    return offset, min(length, size - offset)


def direct_write(handle, data, offset):
    """O_DIRECT wants memory on a page boundary."""
    with mmap.mmap(-1, len(data)) as page:
        page.write(data)
        return os.pwritev(handle, [page], offset)


def direct_read(handle, length, offset):
    with mmap.mmap(-1, length) as page:
        got = os.preadv(handle, [page], offset)
        return page[:got]


def main(mode, path, model_path, count, seed):
    chance = random.Random(int(seed))
    writing = mode == "write"
    flags = os.O_RDWR if writing else os.O_RDONLY
    buffered, direct = os.open(path, flags), os.open(path, flags | os.O_DIRECT)
    model = os.open(model_path, flags)
    size = os.fstat(model).st_size
    if os.fstat(buffered).st_size != size:
        raise SystemExit(f"random_io: sizes differ: {os.fstat(buffered).st_size} and {size}")
    for number in range(int(count)):
        aligned = number % 2 == 1
        offset, length = span(chance, size, aligned)
        if writing:
            data = chance.randbytes(length)
            done = direct_write(direct, data, offset) if aligned else os.pwrite(buffered, data, offset)
            os.pwrite(model, data, offset)
            good = done == length
        else:
            got = direct_read(direct, length, offset) if aligned else os.pread(buffered, length, offset)
            good = got == os.pread(model, length, offset)
        if not good:
            raise SystemExit(f"random_io: {mode} {number} of seed {seed}: {length} bytes at {offset} (aligned {aligned})")
    if writing:
        os.fsync(buffered)


main(*sys.argv[1:])
