"""The files that the lint checks look at, and how they tell what they found."""

import pathlib
import subprocess
import sys

CODE = {".h", ".cpp"}


def files(root):
    """Paths of the project's files, relative to root: those that git tracks, or, in a tree that
    is not a git checkout, all but what lies in build/."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=False
    )
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return [path for path in map(pathlib.PurePosixPath, names) if (root / path).is_file()]
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(
        pathlib.PurePosixPath(path)
        for path in found
        if path.parts[0] not in ("build", ".git") and "__pycache__" not in path.parts
    )


def code_files(root):
    return [path for path in files(root) if path.suffix in CODE]


def text_of(root, path):
    """The file's text, or None if it is not text."""
    try:
        return (root / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def main(check):
    """Runs check(root), which gives the faults as lines; the root is the only argument."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT")
    faults = list(check(pathlib.Path(sys.argv[1]).resolve()))
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(f"{len(faults)} fault(s)")
