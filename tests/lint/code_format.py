#!/usr/bin/env python3
"""Holds the code format: every file is as clang-format with the project's .clang-format has it."""

import shutil
import subprocess

import source_tree


def check(root):
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None:
        yield "clang-format is not installed"
        return
    names = [str(path) for path in source_tree.code_files(root)]
    if not names:
        return
    done = subprocess.run(
        [program, "--dry-run", "-Werror", *names],
        cwd=root, capture_output=True, text=True, check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "error:" in line]
    yield from complaints
    if done.returncode != 0 and not complaints:
        yield done.stderr.strip() or "clang-format failed"


if __name__ == "__main__":
    source_tree.main(check)
