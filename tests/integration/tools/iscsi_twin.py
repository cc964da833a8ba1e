#!/usr/bin/env python3
"""A host that has somebody else's initiator name: logs in to a target with a given name and ISID, as
open-iscsi does, and logs in again whenever its session is ended.

  iscsi_twin.py --port PORT --target IQN --initiator IQN --isid HEX --user USER --secret SECRET
                --log FILE [--once]

One-way CHAP. Writes "in" and "out" to FILE, a line each, as they happen; stays until it is ended, or
with --once until its session is.
"""
import argparse
import hashlib
import socket
import struct
import time

LOGIN_REQUEST, LOGIN_RESPONSE = 0x43, 0x23  # the first with its immediate bit
TRANSIT = 0x80
SECURITY, OPERATIONAL, FULL_FEATURE = 0, 1, 3


def login_pdu(isid, stage, next_stage, keys, number):
    data = b"".join(f"{key}={value}".encode() + b"\0" for key, value in keys)
    flags = stage << 2 | (TRANSIT | next_stage if next_stage is not None else 0)
    header = struct.pack(">BBBBB3s6sHIHHII16x", LOGIN_REQUEST, flags, 0, 0, 0, len(data).to_bytes(3, "big"),
                         isid, 0, 1, 0, 0, 1, number)
    return header + data + b"\0" * (-len(data) % 4)


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def read_pdu(connection):
    header = read_exactly(connection, 48)
    length = int.from_bytes(header[5:8], "big")
    data = read_exactly(connection, (length + 3) // 4 * 4)[:length]
    return header, dict(item.split(b"=", 1) for item in data.split(b"\0") if b"=" in item)


def ask(connection, pdu):
    connection.sendall(pdu)
    header, keys = read_pdu(connection)
    if header[0] != LOGIN_RESPONSE or header[36] != 0:
        raise SystemExit(f"iscsi_twin: the login was refused: {header[36]:02x}{header[37]:02x}")
    return keys


def log_in(arguments):
    isid = bytes.fromhex(arguments.isid)
    connection = socket.create_connection(("127.0.0.1", arguments.port))
    names = [("InitiatorName", arguments.initiator), ("TargetName", arguments.target),
             ("SessionType", "Normal"), ("AuthMethod", "CHAP")]
    ask(connection, login_pdu(isid, SECURITY, None, names, 1))
    keys = ask(connection, login_pdu(isid, SECURITY, None, [("CHAP_A", "5")], 2))
    challenge = bytes.fromhex(keys[b"CHAP_C"].decode()[2:])
    secret = bytes([int(keys[b"CHAP_I"])]) + arguments.secret.encode() + challenge
    answer = [("CHAP_N", arguments.user), ("CHAP_R", "0x" + hashlib.md5(secret).hexdigest())]
    ask(connection, login_pdu(isid, SECURITY, OPERATIONAL, answer, 3))
    ask(connection, login_pdu(isid, OPERATIONAL, FULL_FEATURE, [("HeaderDigest", "None"), ("DataDigest", "None")], 4))
    return connection


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for option in ("target", "initiator", "isid", "user", "secret", "log"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--once", action="store_true", help="ends when it is thrown out")
    arguments = parser.parse_args()
    with open(arguments.log, "w", encoding="ascii", buffering=1) as log:
        while True:
            connection = log_in(arguments)
            log.write("in\n")
            try:
                while True:
                    read_pdu(connection)
            except ConnectionError:
                log.write("out\n")
            connection.close()
            if arguments.once:
                return
            time.sleep(0.3)


main()
