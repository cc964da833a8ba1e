#!/usr/bin/env python3
"""The disks of bench/vhd.

  vhd_images.py spread LAYOUT IMAGE VG CONTENT LV...  a chain, lowest image first, in which the blocks
                                                     of CONTENT lie in one image after the other
  vhd_images.py volumes N                            N names of VHD volumes
  vhd_images.py add NAMES EXTENTS VG_FILE            adds LVs of so many extents to a vgcfgbackup file
  vhd_images.py empty LAYOUT IMAGE NAMES SIZE        empty VHDs with tables for 2 TiB, in LVs of that
                                                     layout; of the table only what counts is written
"""
import random
import re
import string
import sys
import uuid

import lv_bytes
from vhd_image import HEADER_AT, HEADER_BYTES, FileStore, LvStore, Vhd

BLOCK_BYTES = 2 << 20
HOST_BAT_ENTRIES = 1 << 20


def spread(layout, lun, vg, content, *lvs):
    with open(content, "rb") as file:
        data = file.read()
    images = []
    for lv in lvs:
        parent = (images[-1].uuid, lvs[len(images) - 1]) if images else None
        store = LvStore(layout, lun, lv)
        images.append(Vhd.create(store, len(data), parent=parent, vg=vg, hidden=lv != lvs[-1]))
    for block in range(len(data) // BLOCK_BYTES):
        piece = data[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES]
        images[block % len(images)].put(block * BLOCK_BYTES, piece)
    for image in images:
        bits = bytearray(image.batmap_bytes)
        for block, sector in enumerate(image.bat):
            if sector != 0xFFFFFFFF:
                bits[block // 8] |= 0x80 >> block % 8
        image.write_batmap(bytes(bits))


def volumes(count):
    for _ in range(int(count)):
        print(f"VHD-{uuid.uuid4()}")


def lv_uuid():
    letters = "".join(random.choices(string.ascii_letters + string.digits, k=32))
    cuts = (0, 6, 10, 14, 18, 22, 26, 32)
    return "-".join(letters[a:b] for a, b in zip(cuts, cuts[1:]))


def add(names, extents, path):
    with open(names, encoding="ascii") as file:
        lvs = file.read().split()
    section = ""
    for number, name in enumerate(lvs):
        section += (f'{name} {{\nid = "{lv_uuid()}"\nstatus = ["READ", "WRITE", "VISIBLE"]\nflags = []\n'
                    f"segment_count = 1\nsegment1 {{\nstart_extent = 0\nextent_count = {extents}\n"
                    f'type = "striped"\nstripe_count = 1\nstripes = ["pv0", {number * int(extents)}]\n}}\n}}\n')
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # The VG has no LVs yet: its section ends behind the physical volumes.
    end = re.search(r"\n}\n", text).start()
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text[:end]}\nlogical_volumes {{\n{section}}}\n{text[end:]}")


class SparseStore:
    """Passes on what is needed of an empty image: of a table's entries, those that the disk has."""

    def __init__(self, store, layout, needed_bat_bytes):
        self.store, self.size, self.needed = store, layout.size, needed_bat_bytes
        self.layout = layout

    def read(self, offset, length):
        return b"".join(self.store.read(at, run) for at, run in self.layout.pieces(offset, length))

    def write(self, offset, data):
        if offset == HEADER_AT + HEADER_BYTES and len(data) > self.needed:
            data = data[: self.needed]
        if not any(data):
            return
        for at, run in self.layout.pieces(offset, len(data)):
            self.store.write(at, data[:run])
            data = data[run:]


def empty(layout, lun, names, size):
    store, needed = FileStore(lun), int(size) // BLOCK_BYTES * 4
    with open(names, encoding="ascii") as file:
        for lv in file.read().split():
            Vhd.create(SparseStore(store, lv_bytes.Layout(layout, lv), needed), int(size), entries=HOST_BAT_ENTRIES)


if __name__ == "__main__":
    {"spread": spread, "volumes": volumes, "add": add, "empty": empty}[sys.argv[1]](*sys.argv[2:])
