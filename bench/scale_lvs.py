#!/usr/bin/env python3
"""Adds LVs to a vgcfgbackup file with one LV, lv-00000 on the first extent.

  scale_lvs.py COUNT FILE   COUNT: how many it has then, of one extent each
"""
import random
import re
import string
import sys


def lv_uuid():
    letters = "".join(random.choices(string.ascii_letters + string.digits, k=32))
    cuts = (0, 6, 10, 14, 18, 22, 26, 32)
    return "-".join(letters[a:b] for a, b in zip(cuts, cuts[1:]))


def section(number):
    return f"""
        lv-{number:05} {{
            id = "{lv_uuid()}"
            status = ["READ", "WRITE", "VISIBLE"]
            flags = []
            segment_count = 1
            segment1 {{
                start_extent = 0
                extent_count = 1
                type = "striped"
                stripe_count = 1
                stripes = ["pv0", {number}]
            }}
        }}
"""


def main(count, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    new = "".join(section(number) for number in range(1, int(count)))
    text, changes = re.subn(r"logical_volumes \{\n", lambda found: found.group(0) + new, text)
    if changes != 1:
        raise SystemExit("scale_lvs: the VG needs one LV already")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


main(*sys.argv[1:])
