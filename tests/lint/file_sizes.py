#!/usr/bin/env python3
"""Holds the hard limits on file sizes."""

import source_tree

MOST_LINES = {".h": 600, ".cpp": 600, ".py": 600, ".sh": 600}
MOST_LINES_OF_CMAKE = 40


def limit_of(path):
    if path.name == "CMakeLists.txt":
        return MOST_LINES_OF_CMAKE
    return MOST_LINES.get(path.suffix)


def check(root):
    for path in source_tree.files(root):
        limit = limit_of(path)
        if limit is None:
            continue
        lines = (source_tree.text_of(root, path) or "").count("\n")
        if lines > limit:
            yield f"{path}: {lines} lines, at most {limit}"


if __name__ == "__main__":
    source_tree.main(check)
