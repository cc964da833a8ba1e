#!/usr/bin/env python3
"""The rows of bench/compare: what is done, and what iscsi-perf does that comes nearest to it.

  compare_jobs.py [WORD]   of every row with WORD in its TARGET/JOB: that, and the job of iscsi-perf beside it
"""
import sys
from typing import NamedTuple


class Job(NamedTuple):
    text: str
    fio: str  # options; nothing for a buffered copy, whose operation is 1 MiB
    limit: tuple  # of iscsi-perf: rand or seq, KiB of a read, reads in flight
    on_default: bool = False  # also on a target that nobody tuned


def direct(pattern, size, depth):
    return f"--ioengine=libaio --rw={pattern} --bs={size} --iodepth={depth}"


JOBS = {
    "randread-4k-1": Job("4k random read, depth 1", direct("randread", "4k", 1), ("rand", 4, 1)),
    "randread-4k-32": Job("4k random read, depth 32", direct("randread", "4k", 32), ("rand", 4, 32), True),
    "randwrite-4k-1": Job("4k random write, depth 1", direct("randwrite", "4k", 1), ("rand", 4, 1)),
    "randwrite-4k-32": Job("4k random write, depth 32", direct("randwrite", "4k", 32), ("rand", 4, 32)),
    "read-4k-32": Job("4k sequential read, depth 32", direct("read", "4k", 32), ("seq", 4, 32)),
    "write-4k-32": Job("4k sequential write, depth 32", direct("write", "4k", 32), ("seq", 4, 32)),
    "randread-64k-16": Job("64k random read, depth 16", direct("randread", "64k", 16), ("rand", 64, 16)),
    "randwrite-64k-16": Job("64k random write, depth 16", direct("randwrite", "64k", 16), ("rand", 64, 16), True),
    "read-1m-4": Job("1M sequential read, depth 4", direct("read", "1m", 4), ("seq", 1024, 4), True),
    "write-1m-4": Job("1M sequential write, depth 4", direct("write", "1m", 4), ("seq", 1024, 4), True),
    "writers-4k": Job("four synchronous 4k writers",
                      "--ioengine=psync --rw=randwrite --bs=4k --numjobs=4 --group_reporting", ("rand", 4, 4)),
    "segments-randread-4k-32": Job("many segments: 4k random read, 32", direct("randread", "4k", 32), ("rand", 4, 32)),
    "segments-read-1m-4": Job("many segments: 1M sequential read, 4", direct("read", "1m", 4), ("seq", 1024, 4)),
    "cp-in": Job("cp onto the disk, buffered", "", ("seq", 1024, 4)),
    "cp-out": Job("cp of the disk, buffered", "", ("seq", 1024, 4)),
    "dd-read": Job("dd bs=1M of the disk, buffered", "", ("seq", 1024, 4)),
}


def rows(word=""):
    every = [f"tuned/{name}" for name in JOBS] + [f"default/{name}" for name, job in JOBS.items() if job.on_default]
    return [row for row in every if word in row]


def limit(name):
    return "limit-{}-{}-{}".format(*JOBS[name].limit)


def main(word=""):
    for row in rows(word):
        print(row, limit(row.split("/")[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
