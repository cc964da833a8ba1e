#!/usr/bin/env python3
"""One job of bench/compare, once.

  compare_measure.py JOB FILE SECONDS TARGET_PIDS DAEMON_PIDS CONTENT

Prints the operations, the seconds that they took, and the CPU seconds of the daemon, the target and
the client. Pids are apart by commas; CONTENT is what cp-in copies onto FILE; for a limit of
iscsi-perf, FILE is the LUN's URL.
"""
import json
import math
import mmap
import os
import re
import resource
import subprocess
import sys
import time

import compare_jobs

MIB = 1 << 20
BUFFERS = 256 * MIB  # more than what all of them have for sockets, journals and requests


def cpu_of(pids):
    """What /proc/PID/stat has as utime and stime, of all threads, but in nanoseconds instead of ticks: the
    clock that clock_getcpuclockid(3) names."""
    return sum(time.clock_gettime(~int(pid) << 3 | 2) for pid in filter(None, pids.split(",")))


def run(*command):
    """What the command says, and its seconds and CPU seconds."""
    started = time.monotonic()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return said, time.monotonic() - started, used.ru_utime + used.ru_stime


def run_fio(options, path, seconds):
    said, _, _ = run("fio", "--name=job", f"--filename={path}", f"--size={os.stat(path).st_size}", "--direct=1",
                     "--norandommap", "--randrepeat=0", "--time_based", f"--runtime={round(seconds * 1000)}ms",
                     # Without a calibration of the clock and a process of its own, it starts quicker.
                     "--thread", "--clocksource=clock_gettime", "--output-format=json", *options.split())
    job = json.loads(said)["jobs"][0]
    side = max(job["read"], job["write"], key=lambda one: one["total_ios"])
    client = (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] / 1000
    return side["total_ios"], side["runtime"] / 1000, client


def run_limit(name, url, seconds):
    _, pattern, kib, depth = name.split("-")
    whole = max(1, math.ceil(seconds))
    options = ["-r"] if pattern == "rand" else []
    said, _, client = run("iscsi-perf", *options, "-m", depth, "-b", str(int(kib) * 2), "-t", str(whole), url)
    return int(re.findall(r"iops average (\d+)", said)[-1]) * whole, whole, client


def prepare(name, path):
    """For a copy, takes the file out of the page cache. Then uses memory for a moment, as much as the job will: in a
    virtual machine whose balloon reports free pages, whoever takes them next would pay for what the host does to give
    them back, several times what a copy costs."""
    size = BUFFERS
    if name in compare_jobs.JOBS and not compare_jobs.JOBS[name].fio:
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            size = max(size, os.fstat(file.fileno()).st_size * 5 // 2)  # its cached pages, a copy of it on tmpfs
    mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def run_copy(name, path, content):
    out = content + ".out"
    command = {
        "cp-in": ("sh", "-c", 'cp "$0" "$1" && sync "$1"', content, path),
        "cp-out": ("cp", path, out),
        "dd-read": ("dd", f"if={path}", "of=/dev/null", "bs=1M", "status=none"),
    }[name]
    _, seconds, client = run(*command)
    if name == "cp-out":
        os.unlink(out)
    return os.stat(path).st_size / MIB, seconds, client


def main(name, path, seconds, target, daemon, content):
    prepare(name, path)
    before = cpu_of(daemon), cpu_of(target)
    if name.startswith("limit-"):
        operations, took, client = run_limit(name, path, float(seconds))
    elif compare_jobs.JOBS[name].fio:
        operations, took, client = run_fio(compare_jobs.JOBS[name].fio, path, float(seconds))
    else:
        operations, took, client = run_copy(name, path, content)
    if not operations:
        raise SystemExit(f"compare_measure: {name} did nothing")
    print(operations, took, cpu_of(daemon) - before[0], cpu_of(target) - before[1], client)


main(*sys.argv[1:])
