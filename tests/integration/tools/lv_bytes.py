#!/usr/bin/env python3
"""The bytes of an LV, found by what lvm2 reports of its segments and by nothing else.

  lv_bytes.py size   LAYOUT LV
  lv_bytes.py sha256 LAYOUT IMAGE LV
  lv_bytes.py read   LAYOUT IMAGE LV [OFFSET LENGTH]   to stdout
  lv_bytes.py write  LAYOUT IMAGE LV OFFSET            from stdin
  lv_bytes.py where  LAYOUT LV OFFSET                  byte of the image

LAYOUT is {"segments": rows of `lvs --segments`, "pe_start": bytes}. It is the oracle of the
tests: no code of lunfs takes part.
"""
import hashlib
import json
import sys

CHUNK_BYTES = 1 << 20


def ranges_of(text):
    """'/dev/loop0:0-4 /dev/loop0:9-9' -> [0, 9]: the first PE of each stripe."""
    return [int(part.rsplit(":", 1)[1].split("-")[0]) for part in text.split()]


class Layout:
    def __init__(self, path, lv):
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        self.pe_start = int(description["pe_start"])
        rows = [row for row in description["segments"] if row["lv_name"].strip("[]") == lv]
        if not rows:
            raise SystemExit(f"lv_bytes: lvm2 knows no LV {lv}")
        self.extent = int(rows[0]["vg_extent_size"])
        self.size = int(rows[0]["lv_size"])
        self.rows = sorted(rows, key=lambda row: int(row["seg_start_pe"]))

    def pieces(self, offset, length):
        """(byte of the image, bytes) of each contiguous piece, in the LV's order."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise SystemExit(f"lv_bytes: {offset}+{length} is not inside {self.size} bytes")
        for row in self.rows:
            start = int(row["seg_start_pe"]) * self.extent
            end = start + int(row["seg_size_pe"]) * self.extent
            while length and start <= offset < end:
                at, run = self.place(row, offset - start)
                run = min(run, end - offset, length)
                yield at, run
                offset += run
                length -= run
        if length:
            raise SystemExit("lv_bytes: the segments leave a gap")

    def place(self, row, within):
        """Where a byte of a segment lies, and how far it goes on from there."""
        first = ranges_of(row["seg_pe_ranges"])
        if row["segtype"] == "linear":
            return self.pe_start + first[0] * self.extent + within, sys.maxsize
        if row["segtype"] != "striped" or len(first) != int(row["stripes"]):
            raise SystemExit(f"lv_bytes: cannot follow {row}")
        stripe = int(row["stripe_size"])
        chunk, inside = divmod(within, stripe)
        turn, area = divmod(chunk, len(first))
        at = self.pe_start + first[area] * self.extent + turn * stripe + inside
        return at, stripe - inside


def read_pieces(layout, image, offset, length):
    with open(image, "rb") as file:
        for at, run in layout.pieces(offset, length):
            while run:
                file.seek(at)
                data = file.read(min(run, CHUNK_BYTES))
                if not data:
                    raise SystemExit(f"lv_bytes: the image ends before byte {at}")
                yield data
                at += len(data)
                run -= len(data)


def main(arguments):
    command, layout_path = arguments[:2]
    if command in ("size", "where"):
        layout = Layout(layout_path, arguments[2])
        answer = layout.size if command == "size" else next(layout.pieces(int(arguments[3]), 1))[0]
        print(answer)
        return
    image, lv = arguments[2:4]
    layout = Layout(layout_path, lv)
    if command == "write":
        data = sys.stdin.buffer.read()
        with open(image, "r+b") as file:
            for at, run in layout.pieces(int(arguments[4]), len(data)):
                file.seek(at)
                file.write(data[:run])
                data = data[run:]
        return
    offset, length = (int(number) for number in arguments[4:6] or (0, layout.size))
    if command == "sha256":
        digest = hashlib.sha256()
        for data in read_pieces(layout, image, offset, length):
            digest.update(data)
        print(digest.hexdigest())
    elif command == "read":
        for data in read_pieces(layout, image, offset, length):
            sys.stdout.buffer.write(data)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
