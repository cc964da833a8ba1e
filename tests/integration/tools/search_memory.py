#!/usr/bin/env python3
"""Looks for a text in the memory of a process, as root.

  search_memory.py PID TEXT

One line a place; the last line is "N places, M kept": kept are those in pages that are locked in memory
and left out of core dumps.
"""
import re
import sys


def mappings(pid):
    """(first, last, name, whether locked and left out of core dumps) of what the process may read."""
    first = None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            if found:
                first, last, mode, name = int(found[1], 16), int(found[2], 16), found[3], found[4]
            elif line.startswith("VmFlags:") and mode[0] == "r" and name not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                yield first, last, name, {"lo", "dd"} <= set(line.split())


def main(pid, text):
    count = {True: 0, False: 0}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last, name, kept in list(mappings(pid)):
            try:
                memory.seek(first)
                content = memory.read(last - first)
            except OSError:
                continue
            for hit in re.finditer(re.escape(text.encode()), content):
                count[kept] += 1
                print(f"{first + hit.start():x} in {first:x}-{last:x} {name} {'kept' if kept else ''}")
    print(f"{count[False]} places, {count[True]} kept")


main(sys.argv[1], sys.argv[2])
