#!/usr/bin/env python3
"""Looks for a text in the memory of a process, as root.

  search_memory.py PID TEXT     one line a mapping that has it; the last line is "N places"
"""
import re
import sys


def mappings(pid):
    """(first, last, name) of what the process may read."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)", line)
            if found and found.group(3) not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                yield int(found.group(1), 16), int(found.group(2), 16), found.group(3)


def main(pid, text):
    places = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last, name in mappings(pid):
            try:
                memory.seek(first)
                content = memory.read(last - first)
            except OSError:
                continue
            for hit in re.finditer(re.escape(text.encode()), content):
                places += 1
                print(f"{first + hit.start():x} in {first:x}-{last:x} {name}")
    print(f"{places} places")


main(sys.argv[1], sys.argv[2])
