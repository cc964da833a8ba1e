#!/usr/bin/env python3
"""Adds a striped LV to a vgcfgbackup file: lvm2's command line refuses stripes on one PV, the
format does not.

  add_striped_lv.py NAME STRIPE_SECTORS EXTENTS_PER_STRIPE FIRST_PE,FIRST_PE[,...] FILE
"""
import random
import re
import string
import sys


def lv_uuid():
    letters = random.choices(string.ascii_letters + string.digits, k=32)
    text = "".join(letters)
    cuts = (0, 6, 10, 14, 18, 22, 26, 32)
    return "-".join(text[a:b] for a, b in zip(cuts, cuts[1:]))


def section(name, stripe_sectors, extents, places):
    stripes = ", ".join(f'"pv0", {place}' for place in places)
    return f"""
        {name} {{
            id = "{lv_uuid()}"
            status = ["READ", "WRITE", "VISIBLE"]
            flags = []
            segment_count = 1
            segment1 {{
                start_extent = 0
                extent_count = {extents * len(places)}
                type = "striped"
                stripe_count = {len(places)}
                stripe_size = {stripe_sectors}
                stripes = [{stripes}]
            }}
        }}
"""


def main(name, stripe_sectors, extents, places, path):
    new = section(name, int(stripe_sectors), int(extents), [int(place) for place in places.split(",")])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text, count = re.subn(r"logical_volumes \{\n", lambda found: found.group(0) + new, text)
    if count != 1:
        raise SystemExit("add_striped_lv: the VG needs one LV already")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


main(*sys.argv[1:])
