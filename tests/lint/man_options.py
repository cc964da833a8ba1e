#!/usr/bin/env python3
"""Holds each program's manual page against its --help: the same commands, and in each of them the same
options, no more and no fewer.

  man_options.py ROOT BIN      pages in ROOT/docs/man, programs in BIN: lunfs and lunfs-*

In a page an option is what begins a line (`-u, \\-\\-unmount *DIR*`) under the heading of its command
(`### show`); what stands elsewhere belongs to the program itself. -h is asked of the program only. Mount
options (`-o`) stand in tables of the page's OPTIONS, and indented by four in --help; those that are
accepted without effect, handed on, or not available yet need not be in --help.
"""

import pathlib
import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
PROGRAM_PAGE = re.compile(r"(lunfs[\w-]*)\.[18]\.md")
HELP = {"-h", "--help"}
NEED_NOT_BE_IN_HELP = re.compile(r"not available yet|[Aa]ccepted|Passed to the kernel")


def help_of(program, *command):
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=False, timeout=20)
    if done.returncode != 0:
        sys.exit(f"{program.name} {' '.join(command)} --help ends with status {done.returncode}: {done.stderr}")
    return done.stdout


def options_in_help(text):
    """What begins a line that is indented by two, up to the first gap."""
    heads = re.findall(r"^  (-[^ ].*?)(?:  |$)", text, re.MULTILINE)
    return {option for head in heads for option in OPTION.findall(head)}


def commands_in_help(text):
    listed = re.search(r"^Subcommands:\n((?:  .*\n?)*)", text, re.MULTILINE)
    return re.findall(r"^  (\w[\w-]*)", listed.group(1), re.MULTILINE) if listed else []


def mount_options_in_help(text):
    heads = re.findall(r"^    (\w.*?)(?:  |$)", text, re.MULTILINE) if "-o, --options" in text else []
    return {word.split("=")[0] for head in heads for word in head.split(", ")}


def sections_of(page):
    """Heading of a command, or "" for all else, to the text below it."""
    sections = {"": ""}
    command = ""
    for line in page.splitlines():
        if line.startswith("#"):
            found = re.fullmatch(r"### ([a-z][\w-]*)", line)
            command = found.group(1) if found else ""
            sections.setdefault(command, "")
        sections[command] += line + "\n"
    return sections


def options_in_page(text):
    lines = [line.replace("\\", "") for line in text.splitlines() if re.match(r"\\?-\\?[-A-Za-z]", line)]
    return {option for line in lines for option in OPTION.findall(line)}


def mount_options_in_page(text):
    """Name to whether it must be in --help."""
    section = text.partition("\n## OPTIONS\n")[2].partition("\n## ")[0]
    options = {}
    for row in re.findall(r"^\|(.*)\|$", section, re.MULTILINE):
        cells = row.split("|")
        for quoted in re.findall(r"`([^`]*)`", cells[0]):
            for word in quoted.split():
                options[word.split("=")[0]] = not NEED_NOT_BE_IN_HELP.search(cells[-1])
    return options


def differences(where, in_help, in_page):
    for option in sorted(in_help - in_page):
        yield f"{where}: {option} is in --help and not in the page"
    for option in sorted(in_page - in_help):
        yield f"{where}: {option} is in the page and not in --help"


def faults_of(program, page):
    top = help_of(program)
    sections = sections_of(page)
    commands = commands_in_help(top)
    yield from differences(program.name, set(commands), set(sections) - {""} if commands else set())
    own = sections[""] if commands else page
    yield from differences(program.name, options_in_help(top), options_in_page(own))
    for command in commands:
        in_help = options_in_help(help_of(program, command)) - HELP
        yield from differences(f"{program.name} {command}", in_help, options_in_page(sections.get(command, "")))
    in_page = mount_options_in_page(page)
    in_help = mount_options_in_help(top)
    if in_help:
        needed = {option for option, needed in in_page.items() if needed}
        yield from differences(f"{program.name} -o", in_help, needed | (in_help & set(in_page)))


def check(root, folder):
    pages = {PROGRAM_PAGE.fullmatch(path.name).group(1): path for path in sorted((root / "docs/man").iterdir())
             if PROGRAM_PAGE.fullmatch(path.name)}
    programs = {path.name: path for path in sorted(folder.glob("lunfs*")) if path.is_file()}
    yield from (f"{name} has no page in docs/man" for name in programs if name not in pages)
    for name, page in pages.items():
        if name not in programs:
            yield f"{page.name} is the page of no program in {folder}"
        else:
            yield from faults_of(programs[name], page.read_text(encoding="utf-8"))


def main():
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ROOT BIN")
    faults = list(check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(f"{len(faults)} fault(s)")


main()
