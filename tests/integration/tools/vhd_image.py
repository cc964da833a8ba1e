"""VHD images in LVs, written as a XenServer host writes them. Made from docs/formats/vhd.md alone,
for the tests to hold lunfs against; tools/make_vhd.py is its command line.

A store is what an image lies in: size, read(offset, length), write(offset, data).
"""
import os
import struct
import uuid as uuids

import lv_bytes

SECTOR = 512
NOWHERE = 0xFFFFFFFF
DYNAMIC, DIFFERENCING = 3, 4
FOOTER_CHECKSUM, HEADER_CHECKSUM = 64, 36
HEADER_AT, HEADER_BYTES = 512, 1024
LOCATORS_AT, LOCATOR_BYTES = 576, 24


class FileStore:
    """A file of an LV's size."""

    def __init__(self, path):
        self.file = open(path, "r+b", buffering=0)
        self.size = os.fstat(self.file.fileno()).st_size

    def read(self, offset, length):
        return os.pread(self.file.fileno(), length, offset)

    def write(self, offset, data):
        os.pwrite(self.file.fileno(), data, offset)


class LvStore:
    """An LV in the image of a LUN, where lvm2 says that it is."""

    def __init__(self, layout, image, lv):
        self.layout = lv_bytes.Layout(layout, lv)
        self.lun = FileStore(image)
        self.size = self.layout.size

    def read(self, offset, length):
        return b"".join(self.lun.read(at, run) for at, run in self.layout.pieces(offset, length))

    def write(self, offset, data):
        for at, run in self.layout.pieces(offset, len(data)):
            self.lun.write(at, data[:run])
            data = data[run:]


def up(value, unit):
    return (value + unit - 1) // unit * unit


def checksum(data, field=None):
    data = bytearray(data)
    if field is not None:
        data[field : field + 4] = bytes(4)
    return ~sum(data) & 0xFFFFFFFF


def summed(data, field):
    data = bytearray(data)
    struct.pack_into(">I", data, field, checksum(data, field))
    return bytes(data)


def device_mapper_name(vg, lv):
    return vg.replace("-", "--") + "-" + lv.replace("-", "--") if vg else lv


class Vhd:
    def __init__(self, store):
        """The image that is there."""
        self.store = store
        self.footer = store.read(0, SECTOR)
        self.header = store.read(HEADER_AT, HEADER_BYTES)
        self.size, self.uuid = struct.unpack_from(">Q", self.footer, 48)[0], self.footer[68:84]
        self.bat_at, _, self.entries, self.block = struct.unpack_from(">QIII", self.header, 16)
        self.batmap_header_at = self.bat_at + up(4 * self.entries, SECTOR)
        self.batmap_at = self.batmap_header_at + SECTOR
        self.batmap_bytes = up(up(self.entries, 8) // 8, SECTOR)
        self.locators_at = self.batmap_at + self.batmap_bytes
        self.bitmap_bytes = up(up(self.block // SECTOR, 8) // 8, SECTOR)
        used = self.blocks_in_use()
        self.bat = list(struct.unpack(f">{used}I", store.read(self.bat_at, 4 * used)))

    @staticmethod
    def create(store, size, block=2 << 20, entries=None, name=None, hidden=False, parent=None, vg=""):
        """An empty image. `parent` is (its uuid or 16 zeros, its LV); written in a host's order, the
        end's footer last."""
        entries = entries or up(size, block) // block
        footer = bytearray(SECTOR)
        struct.pack_into(">8sIIQI4sII", footer, 0, b"conectix", 2, 0x10000, HEADER_AT, 0, b"tap\0", 0x10003, 0)
        struct.pack_into(">QQI", footer, 40, size, size, 0x0820103F)
        struct.pack_into(">I", footer, 60, DIFFERENCING if parent else DYNAMIC)
        footer[68:84] = name or uuids.uuid4().bytes
        footer[85] = 1 if hidden else 0
        header = bytearray(HEADER_BYTES)
        struct.pack_into(">8sQQIII", header, 0, b"cxsparse", (1 << 64) - 1, HEADER_AT + HEADER_BYTES, 0x10000, entries, block)
        store.write(HEADER_AT, summed(header, HEADER_CHECKSUM))
        store.write(0, summed(footer, FOOTER_CHECKSUM))
        image = Vhd(store)
        image.write_batmap(bytes(image.batmap_bytes))
        store.write(image.bat_at, b"\xff" * up(4 * entries, SECTOR))
        image.bat = [NOWHERE] * image.blocks_in_use()
        if parent:
            image.set_parent(*parent, vg)
        store.write(store.size - SECTOR, summed(footer, FOOTER_CHECKSUM))
        return image

    def blocks_in_use(self):
        return up(self.size, self.block) // self.block

    def write_batmap(self, bits):
        checked = SECTOR * max(1, up(self.size >> 24, SECTOR) // SECTOR)
        header = bytearray(SECTOR)
        struct.pack_into(">8sQIII", header, 0, b"tdbatmap", self.batmap_at, len(bits) // SECTOR, 0x10002, checksum(bits[:checked]))
        self.store.write(self.batmap_at, bits)
        self.store.write(self.batmap_header_at, bytes(header))

    def set_parent(self, uuid, lv, vg):
        """Locators first, then the header that counts."""
        name = device_mapper_name(vg, lv)
        windows = (".\\" + name).encode("utf-16-le")
        header = bytearray(self.header)
        header[40:56] = uuid
        header[64:576] = name.encode("utf-16-be").ljust(512, b"\0")
        texts = ((b"MacX", b"file://./" + name.encode()), (b"W2ku", windows), (b"W2ru", windows))
        for number, (code, text) in enumerate(texts):
            at = self.locators_at + number * SECTOR
            self.store.write(at, text.ljust(SECTOR, b"\0"))
            struct.pack_into(">4sIIIQ", header, LOCATORS_AT + number * LOCATOR_BYTES, code, SECTOR, len(text), 0, at)
        self.header = summed(header, HEADER_CHECKSUM)
        self.store.write(HEADER_AT, self.header)

    def set_footer(self, offset, data):
        footer = bytearray(self.footer)
        footer[offset : offset + len(data)] = data
        self.footer = summed(footer, FOOTER_CHECKSUM)
        self.store.write(self.store.size - SECTOR, self.footer)
        self.store.write(0, self.footer)

    def set_bat(self, block, sector):
        self.bat[block] = sector
        self.store.write(self.bat_at + 4 * block, struct.pack(">I", sector))

    def data_end(self):
        """Of the metadata and of the last block, bytes."""
        held = [sector * SECTOR + self.bitmap_bytes + self.block for sector in self.bat if sector != NOWHERE]
        return max(held + [self.locators_at + 3 * SECTOR])

    def new_block(self, block):
        """Zeroed bitmap first, then the table: the order of docs/formats/vhd.md."""
        place = up(self.data_end() + self.bitmap_bytes, 4096) - self.bitmap_bytes
        if place + self.bitmap_bytes + self.block > self.store.size - SECTOR:
            raise SystemExit("vhd_image: the LV is too small for another block")
        self.store.write(place, bytes(self.bitmap_bytes))
        self.set_bat(block, place // SECTOR)

    def put(self, offset, data):
        """Stores whole sectors: data, then the bits that say so."""
        while data:
            block, inside = divmod(offset, self.block)
            piece = data[: self.block - inside]
            if self.bat[block] == NOWHERE:
                self.new_block(block)
            at = self.bat[block] * SECTOR
            self.store.write(at + self.bitmap_bytes + inside, piece)
            bits = bytearray(self.store.read(at, self.bitmap_bytes))
            for sector in range(inside // SECTOR, (inside + len(piece)) // SECTOR):
                bits[sector // 8] |= 0x80 >> sector % 8
            self.store.write(at, bytes(bits))
            offset, data = offset + len(piece), data[len(piece) :]

    def runs(self):
        """(offset of the disk, data) of every run that the image holds."""
        for block, sector in enumerate(self.bat):
            if sector == NOWHERE:
                continue
            bits = self.store.read(sector * SECTOR, self.bitmap_bytes)
            data = self.store.read(sector * SECTOR + self.bitmap_bytes, self.block)
            for first, end in runs_of(bits, self.block // SECTOR):
                yield block * self.block + first * SECTOR, data[first * SECTOR : end * SECTOR]


def runs_of(bits, count):
    """[first, end) of the runs of ones."""
    start = None
    for index in range(count + 1):
        held = index < count and bits[index // 8] & 0x80 >> index % 8
        if held and start is None:
            start = index
        elif not held and start is not None:
            yield start, index
            start = None
