#!/usr/bin/env python3
"""Makes and changes a VHD in an LV of a LUN's image, as the storage manager or chance would.

  make_vhd.py LAYOUT IMAGE LV create SIZE [key=value...]
        keys: block, entries, uuid, hidden=1, vg=, parent=LV, parent_uuid= (default: the parent's
        own, zeros for an LV-...)
  make_vhd.py LAYOUT IMAGE LV put OFFSET FILE     stores FILE at that offset of the disk
  make_vhd.py LAYOUT IMAGE LV batmap              writes a batmap that says which blocks are complete
  make_vhd.py LAYOUT IMAGE LV hide 0|1
  make_vhd.py LAYOUT IMAGE LV relink PARENT_LV VG
  make_vhd.py LAYOUT IMAGE LV coalesce PARENT_LV  copies what LV holds into its parent
  make_vhd.py LAYOUT IMAGE LV read FILE           the disk that the chain makes
  make_vhd.py LAYOUT IMAGE LV end                 bytes that the image needs, footer included
  make_vhd.py LAYOUT IMAGE LV damage KIND         see damage()

LAYOUT is save_layout's (lib/volume.sh).
"""
import os
import struct
import sys
import uuid as uuids

import vhd_image
from vhd_image import FOOTER_CHECKSUM, HEADER_AT, SECTOR, LvStore, Vhd


def create(store_of, lv, size, **keys):
    parent = None
    if "parent" in keys:
        if "parent_uuid" in keys:
            uuid = uuids.UUID(keys["parent_uuid"]).bytes
        elif keys["parent"].startswith("LV-"):
            uuid = bytes(16)
        else:
            uuid = Vhd(store_of(keys["parent"])).uuid
        parent = (uuid, keys["parent"])
    Vhd.create(store_of(lv), int(size), block=int(keys.get("block", 2 << 20)),
               entries=int(keys.get("entries", 0)),
               name=uuids.UUID(keys["uuid"]).bytes if "uuid" in keys else None,
               hidden=keys.get("hidden") == "1", parent=parent, vg=keys.get("vg", ""))


def complete_batmap(image):
    bits = bytearray(image.batmap_bytes)
    for block, sector in enumerate(image.bat):
        if sector == vhd_image.NOWHERE:
            continue
        bitmap = image.store.read(sector * SECTOR, image.bitmap_bytes)
        if list(vhd_image.runs_of(bitmap, image.block // SECTOR)) == [(0, image.block // SECTOR)]:
            bits[block // 8] |= 0x80 >> block % 8
    image.write_batmap(bytes(bits))


def read_chain(store_of, image, path):
    chain = [image]
    while True:
        stored = chain[-1].header[64:576].decode("utf-16-be").rstrip("\0")
        if not stored:
            break
        name = stored.replace("--", "\0").rsplit("-", 1)[-1].replace("\0", "-")
        if name.startswith("LV-"):
            raise SystemExit("make_vhd: reads no raw base")
        chain.append(Vhd(store_of(name)))
    with open(path, "wb") as out:
        for parent in reversed(chain):  # a child beyond its parent's end: zeros
            out.truncate(parent.size)
            for offset, data in parent.runs():
                out.seek(offset)
                out.write(data)
        out.truncate(image.size)


def damage(image, kind):
    """One thing is wrong, everything else is in order; checksums fit unless they are the damage."""
    store = image.store
    both = (0, store.size - SECTOR)
    first = next(block for block, sector in enumerate(image.bat) if sector != vhd_image.NOWHERE)
    if kind == "cookies":
        for at in both:
            store.write(at, b"connecti")
    elif kind == "footer-checksums":
        for at in both:
            store.write(at + FOOTER_CHECKSUM, b"\x12\x34\x56\x78")
    elif kind == "header-cookie":
        store.write(HEADER_AT, b"cxsparsE")
    elif kind == "header-checksum":
        store.write(HEADER_AT + 36, b"\x12\x34\x56\x78")
    elif kind == "block-in-metadata":
        image.set_bat(first, image.bat_at // SECTOR)
    elif kind == "block-beyond-end":
        image.set_bat(first, store.size // SECTOR - 1)
    elif kind == "blocks-overlap":
        other = next(b for b, s in enumerate(image.bat) if s != vhd_image.NOWHERE and b != first)
        image.set_bat(other, image.bat[first] + 8)
    elif kind == "encrypted":
        store.write(image.batmap_header_at + 29, b"\1" + os.urandom(64))
    elif kind == "poison":
        for at in both:
            store.write(at, vhd_image.summed(b"v_poison" + image.footer[8:], FOOTER_CHECKSUM))
    elif kind == "in-use":
        store.write(both[1], b"\xc7" * SECTOR)
    elif kind == "end-footer-lost":
        store.write(both[1], bytes(SECTOR))
    elif kind == "bat-too-short":
        header = bytearray(image.header)
        struct.pack_into(">I", header, 28, image.blocks_in_use() - 1)
        store.write(HEADER_AT, vhd_image.summed(header, vhd_image.HEADER_CHECKSUM))
    else:
        raise SystemExit(f"make_vhd: no damage is called {kind}")


def main(layout, lun, lv, command, *words):
    def store_of(name):
        return LvStore(layout, lun, name)

    if command == "create":
        create(store_of, lv, words[0], **dict(word.split("=", 1) for word in words[1:]))
        return
    image = Vhd(store_of(lv))
    if command == "put":
        with open(words[1], "rb") as file:
            data = file.read()
        image.put(int(words[0]), data.ljust(vhd_image.up(len(data), SECTOR), b"\0"))
    elif command == "batmap":
        complete_batmap(image)
    elif command == "hide":
        image.set_footer(85, bytes([int(words[0])]))
    elif command == "relink":
        parent = words[0]
        uuid = bytes(16) if parent.startswith("LV-") else Vhd(store_of(parent)).uuid
        image.set_parent(uuid, parent, words[1])
    elif command == "coalesce":
        parent = Vhd(store_of(words[0]))
        for offset, data in image.runs():
            parent.put(offset, data)
    elif command == "read":
        read_chain(store_of, image, words[0])
    elif command == "end":
        print(image.data_end() + SECTOR)
    elif command == "damage":
        damage(image, words[0])
    else:
        raise SystemExit(__doc__)


main(*sys.argv[1:])
