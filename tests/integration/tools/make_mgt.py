#!/usr/bin/env python3
"""Prints the bytes of a XenServer MGT volume (the SR's names), for a freshly made SR.

  make_mgt.py SR_UUID SR_LABEL [VDI_UUID=LABEL...]

Layout: docs/formats/mgt.md: sectors of 512 bytes padded with spaces; header, three sectors for the
SR, two for each VDI.
"""
import sys
from xml.sax.saxutils import escape

SECTOR_BYTES = 512


def sector(text):
    data = text.encode()
    if len(data) > SECTOR_BYTES:
        raise SystemExit(f"make_mgt: too long for a sector: {text}")
    return data.ljust(SECTOR_BYTES)


def slot(uuid, label):
    facts = {"uuid": uuid, "is_a_snapshot": "0", "snapshot_of": "", "snapshot_time": "", "type": "user",
             "vdi_type": "aio", "read_only": "0", "managed": "1", "metadata_of_pool": "", "deleted": "0"}
    elements = "".join(f"<{key}>{value}</{key}>" for key, value in facts.items())
    names = f"<name_label>{escape(label)}</name_label><name_description></name_description>"
    return sector(f"<vdi>{names}") + sector(f"{elements}</vdi>")


def main(sr_uuid, sr_label, *disks):
    body = sector(f'<?xml version="1.0" ?><uuid>{sr_uuid}</uuid><allocation>thick</allocation>')
    body += sector(f"<name_label>{escape(sr_label)}</name_label>")
    body += sector("<name_description></name_description>")
    for disk in disks:
        body += slot(*disk.split("=", 1))
    used = SECTOR_BYTES + len(body)
    sys.stdout.buffer.write(sector(f"XSSM:{used:<10}:1:2") + body)


main(*sys.argv[1:])
