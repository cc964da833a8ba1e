#!/usr/bin/env python3
"""A port that accepts every connection and never says a word.

  mute_port.py PORT_FILE    writes its port to PORT_FILE, then stays until it is ended
"""
import os
import socket
import sys


def main(port_file):
    server = socket.create_server(("127.0.0.1", 0))
    with open(port_file + ".new", "w", encoding="ascii") as file:
        file.write(f"{server.getsockname()[1]}\n")
    os.rename(port_file + ".new", port_file)
    held = []
    while True:
        held.append(server.accept())


main(sys.argv[1])
