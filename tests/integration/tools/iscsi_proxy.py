#!/usr/bin/env python3
"""A proxy between an iSCSI initiator and its target that knows PDUs: it traces every SCSI command
and, by rules, disturbs some.

  iscsi_proxy.py --target HOST:PORT --rules FILE --trace FILE --port-file FILE [--port N]

Listens on port N, else a free one, of 127.0.0.1 and writes it to the port file. One portal; no header or data
digests (it never looks at what login negotiates, and both would break under its hands).

Trace: one JSON object a line. Commands:
  {"event": "command", "time", "connection", "initiator", "lun", "op": "0x88", "class", "lba",
   "blocks", "action"}
class is read, write (everything that changes the LUN or its mode), flush or other. Further events:
connect, logout, close.

Rules: a JSON list, read anew whenever the file changed; the first that matches decides.
  {"id": "a", "op": "write" | "0x8a" | "any", "lba": [first, last], "initiator": "part of its name",
   "connections": [first, last], "skip": 0, "count": 1, "action": ..., ...}
All but id and action may be left out (then: any, anywhere, skip none, without end). How often a
rule hit is kept by its id. Actions:
  busy, task_set_full, conflict        that status; the command is not executed
  sense (with "sense": [key, asc, ascq], "deferred": true for an error of an earlier command)
                                          CHECK CONDITION; the command is not executed
  delay (with "seconds")               executed; its last answer is held back
  mute                                 not executed, never answered
  mute_after                           executed, never answered
  drop_before                          the connection is closed, the command not executed
  drop_after                           executed, the connection closed instead of the answer
  reset_before, reset_after            the same, but both sides see a TCP reset, not a close
  cut_before, cut_after                the same in the middle of a PDU: of the command's (with its
                                          data), of the answer's
Instead of a command that is not executed the target gets TEST UNIT READY, so that the command
numbers stay in step.
"""
import argparse
import asyncio
import json
import os
import socket
import struct
import time

BHS_BYTES = 48
SCSI_COMMAND, LOGIN, DATA_OUT, LOGOUT = 0x01, 0x03, 0x05, 0x06
SCSI_RESPONSE, DATA_IN = 0x21, 0x25
FINAL, READS, WRITES = 0x80, 0x40, 0x20
UNDERFLOW = 0x02
GOOD, CHECK_CONDITION, BUSY, CONFLICT, TASK_SET_FULL = 0x00, 0x02, 0x08, 0x18, 0x28

READ_OPS = {0x08, 0x28, 0xA8, 0x88}
FLUSH_OPS = {0x35, 0x91}
# WRITE and its kin, WRITE SAME, UNMAP, COMPARE AND WRITE, EXTENDED COPY, FORMAT UNIT, SANITIZE,
# MODE SELECT, PERSISTENT RESERVE OUT, WRITE BUFFER.
WRITE_OPS = {0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E, 0x9C, 0x41, 0x93, 0x42, 0x89, 0x83, 0x04,
             0x48, 0x15, 0x55, 0x5F, 0x3B}
STATUS_OF = {"busy": BUSY, "task_set_full": TASK_SET_FULL, "conflict": CONFLICT, "sense": CHECK_CONDITION}
ACTIONS = {"delay", "mute", "mute_after", "drop_before", "drop_after", "reset_before", "reset_after",
           "cut_before", "cut_after", *STATUS_OF}


class Pdu:
    """One PDU: 48-byte header, additional header segments, data segment (padded)."""

    def __init__(self, header, rest):
        self.header = bytearray(header)
        self.rest = rest

    @staticmethod
    async def read(stream):
        header = await stream.readexactly(BHS_BYTES)
        data_bytes = int.from_bytes(header[5:8], "big")
        rest = await stream.readexactly(header[4] * 4 + (data_bytes + 3) // 4 * 4)
        return Pdu(header, rest)

    opcode = property(lambda self: self.header[0] & 0x3F)
    flags = property(lambda self: self.header[1])
    tag = property(lambda self: bytes(self.header[16:20]))
    raw = property(lambda self: bytes(self.header) + self.rest)

    def ends_command(self):
        return self.opcode == SCSI_RESPONSE or (self.opcode == DATA_IN and self.flags & 0x01)


def classify(op):
    if op in READ_OPS:
        return "read"
    if op in WRITE_OPS:
        return "write"
    return "flush" if op in FLUSH_OPS else "other"


def address_of(cdb):
    """(LBA, blocks) of a command that has them."""
    op = cdb[0]
    if op in (0x88, 0x8A, 0x8E, 0x91, 0x93, 0x89, 0x9C):
        return struct.unpack_from(">QI", cdb, 2)
    if op in (0x28, 0x2A, 0x2E, 0x35, 0x41):
        return struct.unpack_from(">I", cdb, 2)[0], struct.unpack_from(">H", cdb, 7)[0]
    if op in (0xA8, 0xAA, 0xAE):
        return struct.unpack_from(">II", cdb, 2)
    return None, None


class Cut(ConnectionError):
    """The connection ends after half of this PDU."""

    def __init__(self, pdu):
        super().__init__()
        self.half = pdu.raw[:len(pdu.raw) // 2]


class Reset(ConnectionError):
    """Both sides of the connection end by a TCP reset."""


class Rules:
    def __init__(self, path):
        self.path = path
        self.seen = None
        self.rules = []
        self.hits = {}

    def refresh(self):
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self.seen:
            return
        self.seen = stamp
        with open(self.path, encoding="utf-8") as file:
            text = file.read()
        try:
            rules = json.loads(text)
            wrong = [rule["id"] for rule in rules if rule["action"] not in ACTIONS]
        except (ValueError, KeyError, TypeError) as failure:
            wrong = [str(failure)]
        if wrong:
            # A test with wrong rules must not pass by luck: nothing goes through any more.
            raise SystemExit(f"iscsi_proxy: bad rules {text!r}: {wrong}")
        self.rules = rules

    def choose(self, command):
        self.refresh()
        for rule in self.rules:
            if not self.matches(rule, command):
                continue
            number = self.hits.get(rule["id"], 0)
            self.hits[rule["id"]] = number + 1
            skip = rule.get("skip", 0)
            if skip <= number < skip + rule.get("count", float("inf")):
                return rule
        return None

    @staticmethod
    def matches(rule, command):
        op = rule.get("op", "any")
        if op not in ("any", command["class"], command["op"]):
            return False
        if rule.get("initiator", "") not in command["initiator"]:
            return False
        first, last = rule.get("connections", (0, float("inf")))
        if not first <= command["connection"] <= last:
            return False
        if "lba" not in rule:
            return True
        if command["lba"] is None:
            return False
        first, last = rule["lba"]
        return command["lba"] <= last and command["lba"] + max(command["blocks"], 1) > first


class Connection:
    """Both directions of one connection; the rule that holds a command is kept by its tag."""

    def __init__(self, proxy, number, initiator, target):
        self.proxy = proxy
        self.number = number
        self.from_initiator, self.to_initiator = initiator
        self.from_target, self.to_target = target
        self.name = ""
        self.ruled = {}
        self.swallowed = set()
        self.is_reset = False

    def trace(self, event, **facts):
        self.proxy.trace(event, connection=self.number, initiator=self.name, **facts)

    async def run(self):
        self.trace("connect")
        pumps = [asyncio.create_task(self.pump(self.from_initiator, self.to_target, self.outward)),
                 asyncio.create_task(self.pump(self.from_target, self.to_initiator, self.inward))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for writer in (self.to_initiator, self.to_target):
            if self.is_reset:
                at_once = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            writer.close()
        self.trace("close")

    async def pump(self, source, sink, handle):
        try:
            while True:
                pdu = handle(await Pdu.read(source))
                if pdu is not None:
                    sink.write(pdu.raw)
                    await sink.drain()
        except Cut as cut:
            sink.write(cut.half)
            await sink.drain()
        except Reset:
            self.is_reset = True
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    def outward(self, pdu):
        """From the initiator; None: not passed on."""
        if pdu.opcode == LOGIN:
            self.learn_name(pdu)
        elif pdu.opcode == LOGOUT:
            self.trace("logout")
        elif pdu.opcode == DATA_OUT and pdu.tag in self.swallowed:
            if pdu.flags & FINAL:
                self.swallowed.discard(pdu.tag)
            return None
        elif pdu.opcode == SCSI_COMMAND:
            return self.command(pdu)
        return pdu

    def learn_name(self, pdu):
        for pair in pdu.rest.split(b"\0"):
            if pair.startswith(b"InitiatorName="):
                self.name = pair.split(b"=", 1)[1].decode("utf-8", "replace")

    def command(self, pdu):
        cdb = bytes(pdu.header[32:48])
        lba, blocks = address_of(cdb)
        facts = {"lun": ((pdu.header[8] & 0x3F) << 8) | pdu.header[9], "op": f"{cdb[0]:#04x}",
                 "class": classify(cdb[0]), "lba": lba, "blocks": blocks}
        rule = self.proxy.rules.choose({**facts, "initiator": self.name, "connection": self.number})
        self.trace("command", **facts, action=rule["action"] if rule else "pass")
        if rule is None:
            return pdu
        action = rule["action"]
        if action == "drop_before":
            raise ConnectionError
        if action == "reset_before":
            raise Reset
        if action == "cut_before":
            raise Cut(pdu)
        self.ruled[pdu.tag] = (rule, struct.unpack_from(">I", pdu.header, 20)[0])
        if action in ("delay", "mute_after", "drop_after", "reset_after", "cut_after"):
            return pdu
        return self.harmless(pdu)

    def harmless(self, pdu):
        """TEST UNIT READY with the tag and numbers of a command that must not be executed."""
        if pdu.flags & WRITES and not pdu.flags & FINAL:
            self.swallowed.add(pdu.tag)
        header = bytearray(pdu.header)
        header[1] = FINAL | (pdu.flags & 0x07)
        header[4:8] = bytes(4)
        header[20:24] = bytes(4)
        header[32:48] = bytes(16)
        return Pdu(header, b"")

    def inward(self, pdu):
        """From the target; None: not passed on."""
        entry = self.ruled.get(pdu.tag)
        if entry is None or not pdu.ends_command():
            return pdu
        rule, expected_bytes = self.ruled.pop(pdu.tag)
        action = rule["action"]
        if action == "drop_after":
            raise ConnectionError
        if action == "reset_after":
            raise Reset
        if action == "cut_after":
            raise Cut(pdu)
        if action in ("mute", "mute_after"):
            return None
        if action == "delay":
            asyncio.get_running_loop().call_later(rule["seconds"], self.answer_late, pdu)
            return None
        return self.refusal(pdu, rule, expected_bytes)

    def answer_late(self, pdu):
        if not self.to_initiator.is_closing():
            self.to_initiator.write(pdu.raw)

    @staticmethod
    def refusal(pdu, rule, expected_bytes):
        header = bytearray(pdu.header)
        header[0] = SCSI_RESPONSE
        header[1] = FINAL | (UNDERFLOW if expected_bytes else 0)
        header[2] = 0
        header[3] = STATUS_OF[rule["action"]]
        header[44:48] = struct.pack(">I", expected_bytes)
        data = b""
        if rule["action"] == "sense":
            key, code, qualifier = rule["sense"]
            response = 0x71 if rule.get("deferred") else 0x70
            sense = bytes([response, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code, qualifier, 0, 0, 0, 0])
            data = struct.pack(">H", len(sense)) + sense
        header[4] = 0
        header[5:8] = len(data).to_bytes(3, "big")
        return Pdu(header, data + bytes(-len(data) % 4))


class Proxy:
    def __init__(self, arguments):
        self.host, port = arguments.target.rsplit(":", 1)
        self.port = int(port)
        self.listen_at = arguments.port
        self.rules = Rules(arguments.rules)
        self.trace_file = open(arguments.trace, "a", buffering=1, encoding="utf-8")
        self.connections = 0

    def trace(self, event, **facts):
        self.trace_file.write(json.dumps({"event": event, "time": round(time.time(), 6), **facts}) + "\n")

    async def serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        try:
            target = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.close()
            return
        for stream in (writer, target[1]):
            stream.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await Connection(self, number, (reader, writer), target).run()

    async def run(self, port_file):
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.listen_at)
        with open(port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{server.sockets[0].getsockname()[1]}\n")
        os.rename(port_file + ".new", port_file)
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    for option in ("--target", "--rules", "--trace", "--port-file"):
        parser.add_argument(option, required=True)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(Proxy(arguments).run(arguments.port_file))


main()
