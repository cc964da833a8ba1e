#!/usr/bin/env python3
"""Writers that share blocks: every one owns some bytes of each block, all write at once.

  neighbours.py FILE BLOCK_BYTES [SECTOR_BYTES [OTHER_NAME]]

Two rounds over the first blocks of FILE, with as many processes as a block has sectors (of 512 bytes
if nothing else is said; shorter ones go without O_DIRECT, for mounts with cache=none), every other
one by FILE's OTHER_NAME:
  lanes  each writes its own sector of every block; no sector may be lost
  whole  one writes whole blocks while another writes the first sector of each; whatever the order,
         the other sectors are the whole block's
Fails with the place of the first wrong byte.
"""
import mmap
import multiprocessing
import os
import sys

SECTOR = int(sys.argv[3]) if len(sys.argv) > 3 else 512
BLOCKS = 400


def write(path, pieces, together):
    """(offset, bytes) each, straight to the device; every one begins when all writers are there."""
    handle = os.open(path, os.O_RDWR | (os.O_DIRECT if SECTOR >= 512 else 0))
    page = mmap.mmap(-1, 1 << 16)
    for offset, data in pieces:
        together.wait(timeout=60)
        page[: len(data)] = data
        view = memoryview(page)[: len(data)]
        if os.pwritev(handle, [view], offset) != len(data):
            raise SystemExit(f"neighbours: short write at {offset}")
        view.release()
    os.close(handle)


def sector(lane, block, turn):
    return bytes([turn, lane, block & 0xFF, block >> 8]) * (SECTOR // 4)


def run(paths, works):
    together = multiprocessing.Barrier(len(works))
    workers = [multiprocessing.Process(target=write, args=(paths[number % len(paths)], work, together))
               for number, work in enumerate(works)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise SystemExit("neighbours: a writer failed")


def check(path, expected, ignored=range(0)):
    """expected: whole blocks in a row; ignored: bytes of each block that may be anything"""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for number, block in enumerate(expected):
            found = file.read(len(block))
            for at in range(0, len(block), SECTOR):
                if at not in ignored and found[at : at + SECTOR] != block[at : at + SECTOR]:
                    raise SystemExit(f"neighbours: block {number}, byte {at}: {found[at:at+4].hex()} "
                                     f"instead of {block[at:at+4].hex()}")


def main(path, block_bytes, _sector_bytes=None, *other_names):
    block_bytes = int(block_bytes)
    paths = [path, *other_names]
    lanes = range(block_bytes // SECTOR)
    for turn in (1, 2):
        run(paths, [[(block * block_bytes + lane * SECTOR, sector(lane, block, turn)) for block in range(BLOCKS)]
                    for lane in lanes])
        check(path, [b"".join(sector(lane, block, turn) for lane in lanes) for block in range(BLOCKS)])
    whole = [sector(0xEE, block, 3) * len(lanes) for block in range(BLOCKS)]
    run(paths, [[(block * block_bytes, data) for block, data in enumerate(whole)],
                [(block * block_bytes, sector(0, block, 4)) for block in range(BLOCKS)]])
    check(path, whole, ignored=range(SECTOR))


main(*sys.argv[1:])
