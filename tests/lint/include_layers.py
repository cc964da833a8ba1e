#!/usr/bin/env python3
"""Holds the include picture of docs/architecture.md: who may include whom, which library headers
stand where, full paths only, #pragma once in every header."""

import pathlib
import re

import source_tree

# A layer may include itself and what is named here. Tests and benchmarks may include everything.
MAY_INCLUDE = {
    "base": [],
    "host": ["base"],
    "iscsi": ["base"],
    "volume/lvm": ["base"],
    "volume/vhd": ["base"],
    "volume/sr": ["base", "volume/lvm", "volume/vhd"],
    "fs": ["base", "host", "iscsi", "volume/lvm", "volume/vhd", "volume/sr"],
    "tools": ["base", "host", "iscsi", "volume/lvm", "volume/vhd", "volume/sr"],
}
FREE = ("tests", "bench")

# Library headers and the places where they may stand: folder, and whether headers may include them.
LIBRARIES = [
    (re.compile(r"(fuse3/)?fuse(_\w+)?\.h"), "fs", True),
    (re.compile(r"iscsi/.*"), "iscsi", False),
    (re.compile(r"libdevmapper\.h"), "volume/lvm", False),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
PRAGMA_ONCE = re.compile(r"^#pragma once$", re.MULTILINE)


def layer_of(path):
    """The layer that a path from the root lies in, or None."""
    folder = str(pathlib.PurePosixPath(path).parent)
    for layer in MAY_INCLUDE:
        if folder == layer or folder.startswith(layer + "/"):
            return layer
    return None


def project_fault(root, path, target):
    """What is wrong with `#include "target"` in path, or None."""
    if not (root / target).is_file() or ".." in target.split("/"):
        return "is not a full path from the root"
    if target.endswith(".cpp"):
        return "is no header"
    own = layer_of(path)
    other = layer_of(target)
    if own is None:
        return None
    if other is None:
        return f"does not belong into {own}/"
    if other != own and other not in MAY_INCLUDE[own]:
        return f"is against the arrows: {own}/ may not include {other}/"
    return None


def library_fault(path, target):
    """What is wrong with `#include <target>` in path, or None."""
    for pattern, folder, in_headers in LIBRARIES:
        if not pattern.fullmatch(target):
            continue
        if layer_of(path) != folder:
            return f"may stand in {folder}/ only"
        if path.suffix == ".h" and not in_headers:
            return f"may stand in {folder}/*.cpp only"
    return None


def check(root):
    for path in source_tree.code_files(root):
        text = source_tree.text_of(root, path) or ""
        if path.suffix == ".h" and not PRAGMA_ONCE.search(text):
            yield f"{path}: has no #pragma once"
        if layer_of(path) is None and path.parts[0] not in FREE:
            yield f"{path}: lies in no known folder"
        for include in INCLUDE.finditer(text):
            quote, target = include.groups()
            fault = library_fault(path, target)
            if quote == '"':
                fault = project_fault(root, path, target)
            if fault:
                line = source_tree.line_of(text, include.start())
                yield f"{path}:{line}: {target} {fault}"


if __name__ == "__main__":
    source_tree.main(check)
