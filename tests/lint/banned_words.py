#!/usr/bin/env python3
"""Keeps out of the project what only makes sense on the machine or in the workshop where it was
written: absolute paths of that place, names of its papers and of those who work there."""

import re

import source_tree

# Written so that no pattern matches its own text.
BANNED = [
    (re.compile(r"(?<![\w.$}])/(?:work|root)/"), "a path of somebody's machine"),
    (re.compile(r"\.\./(?:shared)/"), "a path out of the tree"),
    (re.compile(r"\b[Ii]ssue #?\d"), "a number of somebody's list of work"),
    (re.compile(r"\b(?:[Ss]ub-?)?[Aa]gents?\b"), "a word of the workshop"),
]

# Copies of what real tools printed are what they are.
NOT_OURS = ("tests/data/", "tests/fuzz/seeds/")


def check(root):
    for path in source_tree.files(root):
        if str(path).startswith(NOT_OURS):
            continue
        text = source_tree.text_of(root, path)
        if text is None:
            continue
        for pattern, meaning in BANNED:
            for found in pattern.finditer(text):
                line = source_tree.line_of(text, found.start())
                yield f"{path}:{line}: '{found.group()}' is {meaning}"


if __name__ == "__main__":
    source_tree.main(check)
