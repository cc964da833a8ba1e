#!/usr/bin/env python3
"""Medians of what bench/scale measured.

  scale_report.py table|json RESULTS     lines of: round, LVs, what, figure
"""
import collections
import json
import statistics
import sys

COLUMNS = {
    "mount_ms": "mount", "first_byte_ms": "first byte", "ls_ms": "ls -l", "ls_again_ms": "again", "lvs_ms": "lvs",
    "resident_kib": "resident", "most_kib": "at most",
}


def medians(path):
    values = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path, encoding="ascii") as file:
        for line in file:
            _, count, what, figure = line.split()
            values[int(count)][what].append(float(figure))
    return [{"lvs": count, **{what: statistics.median(one[what]) for what in COLUMNS}} for count, one in values.items()]


def cell(what, figure):
    return f"{figure / 1024:.1f} MiB" if what.endswith("_kib") else f"{figure:.0f} ms"


def print_table(rows):
    print(f"{'LVs':>6}" + "".join(f"{head:>12}" for head in COLUMNS.values()) + f"{'mount / lvs':>13}")
    for row in rows:
        cells = "".join(f"{cell(what, row[what]):>12}" for what in COLUMNS)
        print(f"{row['lvs']:>6}{cells}{row['mount_ms'] / row['lvs_ms']:>13.2f}")


def main(form, path):
    rows = medians(path)
    if form == "json":
        print(json.dumps(rows, indent=1))
    else:
        print_table(rows)


main(*sys.argv[1:])
