#!/usr/bin/env python3
"""Damages the LVM metadata of an image in one place, everything else left in order.

  damage.py label-crc | mda-crc | text-crc | text-cut IMAGE
  damage.py text IMAGE OLD NEW     replaces OLD by NEW in the VG's text and makes its checksum good

The PV is as pvcreate makes it: label in sector 1, one metadata area at 4096.
"""
import struct
import sys
import zlib

LABEL, AREA, SECTOR = 512, 4096, 512
CRC_SEED = 0xF597A6CF


def crc(data):
    return zlib.crc32(data, CRC_SEED ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


class Area:
    """The metadata area's header and the text that it points at."""

    def __init__(self, file):
        self.file = file
        file.seek(AREA)
        self.header = bytearray(file.read(SECTOR))
        self.offset, self.size, _, self.flags = struct.unpack_from("<QQII", self.header, 40)
        file.seek(AREA + self.offset)
        self.text = file.read(self.size)

    def commit(self, text):
        self.file.seek(AREA + self.offset)
        self.file.write(text)
        struct.pack_into("<QQII", self.header, 40, self.offset, len(text), crc(text), self.flags)
        struct.pack_into("<I", self.header, 0, crc(bytes(self.header[4:])))
        self.file.seek(AREA)
        self.file.write(self.header)


def flip(file, offset):
    file.seek(offset)
    byte = file.read(1)[0]
    file.seek(offset)
    file.write(bytes([byte ^ 0x01]))


def main(what, image, *words):
    with open(image, "r+b") as file:
        area = Area(file)
        if what == "label-crc":
            flip(file, LABEL + 100)
        elif what == "mda-crc":
            flip(file, AREA + 100)
        elif what == "text-crc":
            flip(file, AREA + area.offset + area.size // 2)
        elif what == "text-cut":
            area.commit(area.text[: area.size // 2])
        elif what == "text":
            old, new = (word.encode() for word in words)
            if area.text.count(old) != 1:
                raise SystemExit(f"damage: {words[0]!r} stands {area.text.count(old)} times in the text")
            area.commit(area.text.replace(old, new))
        else:
            raise SystemExit(__doc__)


main(*sys.argv[1:])
