#!/usr/bin/env python3
"""Medians and ratios of what bench/vhd measured.

  vhd_report.py table|json RESULTS     lines of: round, disk, state, pattern, bytes a second
"""
import collections
import json
import statistics
import sys

MIB = 1 << 20


def medians(path):
    values = collections.defaultdict(list)
    with open(path, encoding="ascii") as file:
        for line in file:
            _, disk, state, pattern, value = line.split()
            values[state, pattern, disk].append(float(value))
    return {key: statistics.median(all_of) for key, all_of in values.items()}


def report(found):
    """One entry a state and pattern: each disk's speed and its ratio to the raw one's."""
    out = {"reads": [], "beside_qemu": [], "mount": {}}
    for state, pattern in dict.fromkeys(key[:2] for key in found):
        disks = {key[2]: value for key, value in found.items() if key[:2] == (state, pattern)}
        if state == "mount":
            disk, value = next(iter(disks.items()))
            out["mount"].update({"disks": int(disk), pattern: int(value)})
            continue
        base = "qemu" if state == "beside-qemu" else "raw"
        entry = {"state": state, "pattern": pattern, "mib_per_s": {}, "ratio": {}}
        for disk, value in disks.items():
            entry["mib_per_s"][disk] = round(value / MIB, 1)
            entry["ratio"][disk] = round(value / disks[base], 2)
        out["beside_qemu" if base == "qemu" else "reads"].append(entry)
    return out


def print_table(out):
    print("MiB/s (ratio to the raw disk), medians")
    depths = [disk for disk in out["reads"][0]["mib_per_s"] if disk != "raw"]
    print(f"{'':6}{'':12}{'raw':>10}" + "".join(f"{'depth ' + depth:>18}" for depth in depths))
    for entry in out["reads"]:
        speed, ratio = entry["mib_per_s"], entry["ratio"]
        cells = "".join(f"{f'{speed[depth]} ({ratio[depth]:.2f})':>18}" for depth in depths)
        print(f"{entry['state']:6}{entry['pattern']:12}{speed['raw']:>10}{cells}")
    for entry in out["beside_qemu"]:
        speed = entry["mib_per_s"]
        print(f"depth 1, {entry['pattern']}: lunfs {speed['lunfs']}, qemu-storage-daemon {speed['qemu']} "
              f"({entry['ratio']['lunfs']:.2f} of it)")
    if out["mount"]:
        mount = out["mount"]
        print(f"mount of {mount['disks']} VHDs of 100 GiB: {mount['memory'] / MIB:.1f} MiB resident, "
              f"{mount['milliseconds']} ms")


def main(form, path):
    out = report(medians(path))
    if form == "json":
        print(json.dumps(out, indent=1))
    else:
        print_table(out)


main(*sys.argv[1:])
