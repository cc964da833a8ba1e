#!/usr/bin/env python3
"""What bench/compare measured.

  compare_report.py json RESULTS ROUNDS SECONDS LABELS   lines of: round, target, job, program, operations,
                                                         seconds, CPU seconds of daemon, target, client
  compare_report.py table REPORT                         that JSON as tables
"""
import collections
import json
import os
import statistics
import sys

import compare_jobs

WHO = ("daemon", "target", "client")
LIMIT = "iscsi-perf"
OTHERS = ["qsd", "nbdfuse", LIMIT]


def read(path):
    """{(target, job, program): [figures of each round]}"""
    found = collections.defaultdict(list)
    with open(path, encoding="ascii") as file:
        for line in file:
            _, target, job, program, *figures = line.split()
            operations, seconds, *cpu = map(float, figures)
            per_operation = {who: used / operations * 1e6 for who, used in zip(WHO, cpu)}
            found[target, job, program].append({"speed": operations / seconds, "cpu": per_operation})
    return found


def entry_of(rounds):
    """Medians of one program's rounds, and by how much of it their speeds differ."""
    speeds = [one["speed"] for one in rounds]
    speed = statistics.median(speeds)
    cpu = {who: round(statistics.median(one["cpu"][who] for one in rounds), 2) for who in WHO}
    return {"ops_per_s": round(speed, 1), "spread": round((max(speeds) - min(speeds)) / speed, 3), "cpu_us_per_op": cpu}


def row_of(found, target, job, labels):
    """Each program's medians, and the ratios of each build to all that come after it."""
    rounds = {}
    for program in labels + OTHERS:
        rounds[program] = found[target, compare_jobs.limit(job) if program == LIMIT else job, program]
    row = {"target": target, "job": job, "programs": {name: entry_of(one) for name, one in rounds.items()}, "ratio": {}}
    for place, build in enumerate(labels):
        for other in labels[:place] + OTHERS:
            pairs = zip(rounds[build], rounds[other])
            row["ratio"][f"{build}/{other}"] = round(statistics.median(a["speed"] / b["speed"] for a, b in pairs), 3)
    return row


def report(path, rounds, seconds, labels):
    found = read(path)
    labels = labels.strip(",").split(",")
    measured = {(target, job) for target, job, _ in found}
    rows = [row_of(found, *name.split("/"), labels) for name in compare_jobs.rows() if tuple(name.split("/")) in measured]
    return {"cpus": os.cpu_count(), "rounds": int(rounds), "seconds": float(seconds), "builds": labels, "rows": rows}


def print_rows(heads, lines):
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    for line in [heads, *lines]:
        print(line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:])), sep="  ")


def cpu_text(entry, program):
    cells = entry["cpu_us_per_op"]
    return " / ".join("-" if who == "daemon" and program == LIMIT else f"{cells[who]:.1f}" for who in WHO)


def spread_text(entry):
    return f"{entry['spread']:.0%}"


def print_tables(out):
    print(f"Ratios are medians of {out['rounds']} round(s) of {out['seconds']:g} s on {out['cpus']} CPUs; "
          "more than 1: the first is faster.")
    for target in dict.fromkeys(row["target"] for row in out["rows"]):
        rows = [row for row in out["rows"] if row["target"] == target]
        names = [compare_jobs.JOBS[row["job"]].text for row in rows]
        print(f"\nspeed, {target} target")
        print_rows(["", *rows[0]["ratio"], f"{LIMIT}'s rounds differ by"],
                   [[name, *(f"{ratio:.2f}" for ratio in row["ratio"].values()), spread_text(row["programs"][LIMIT])]
                    for name, row in zip(names, rows)])
        programs = list(rows[0]["programs"])
        print(f"\nCPU microseconds of an operation, {target} target: daemon / target / client")
        print_rows(["", *programs], [[name, *(cpu_text(row["programs"][program], program) for program in programs)]
                                     for name, row in zip(names, rows)])


def main(form, path, *rest):
    if form == "json":
        print(json.dumps(report(path, *rest), indent=1))
    else:
        with open(path, encoding="utf-8") as file:
            print_tables(json.load(file))


main(*sys.argv[1:])
