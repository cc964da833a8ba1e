#!/usr/bin/env python3
"""Makes a manual page (man(7)) of one of docs/man, as far as those use Markdown.

  man_page.py VERSION PAGE.md [OUTPUT.gz]     the page goes there, or to stdout

Known are: headings, paragraphs, lists (`* `), definitions (a term, then `: text`), indented examples,
tables (a definition each row), and in texts `code`, **bold**, *italic*, links and escaped characters.
"""
import gzip
import re
import sys
from pathlib import Path

BOLD, ITALIC, PLAIN = "\\fB", "\\fI", "\\fP"
# What roff would take for something else, or typeset in a way that cannot be pasted.
LITERAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
INLINE = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\*([^*]+)\*|\[([^\]]+)\]\([^)]*\)|\\([^\w\s])")


def literal(text):
    return "".join(LITERAL.get(character, character) for character in text)


def prose(text):
    return text.replace("\\", "\\e").replace("'", "\\(cq")


def inline(text):
    """A run of text with its marks."""
    result, end = "", 0
    for found in INLINE.finditer(text):
        code, bold, italic, link, escaped = found.groups()
        result += prose(text[end:found.start()])
        if code:
            result += BOLD + literal(code) + PLAIN
        elif bold:
            result += BOLD + inline(bold) + PLAIN
        elif italic:
            result += ITALIC + literal(italic) + PLAIN
        elif link:
            result += inline(link)
        else:
            result += literal(escaped)
        end = found.end()
    return result + prose(text[end:])


def line_of(text):
    """A line of the page: a dot or an apostrophe in front would be a request."""
    return "\\&" + text if text[:1] in (".", "'") else text


def paragraph(lines):
    return line_of(inline(" ".join(line.strip() for line in lines)))


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(lines):
    """The first column is the term; what stands between it and the last one gets its heading."""
    heads = cells(lines[0])
    for row in lines[2:]:
        first, *middle, last = cells(row)
        more = [f"{head}: {cell}." for head, cell in zip(heads[1:], middle) if cell]
        yield ".TP"
        yield line_of(BOLD + inline(first) + PLAIN)
        yield paragraph([*more, last])


def blocks(text):
    """Runs of lines between blank ones; examples keep the blank lines inside them."""
    run = []
    for line in text.splitlines() + [""]:
        if line.strip():
            if run and run[0].startswith("    ") != line.startswith("    ") and not run[-1].strip():
                yield run
                run = []
            run.append(line)
        elif run and run[0].startswith("    "):
            run.append("")
        elif run:
            yield run
            run = []
    if run:
        yield run


def example(lines):
    while not lines[-1].strip():
        lines.pop()
    yield from (".PP", ".RS 4", ".EX")
    yield from (line_of(literal(line[4:])) for line in lines)
    yield from (".EE", ".RE")


def items(lines, begin):
    """Groups of lines, each beginning with a match of `begin`."""
    group = []
    for line in lines:
        if begin.match(line) and group:
            yield group
            group = []
        group.append(line)
    yield group


def definitions(lines):
    term = []
    for group in items(lines, re.compile(r": |\S")):
        if group[0].startswith(": "):
            yield from (".TP", line_of(BOLD + " ".join(map(inline, term)) + PLAIN))
            yield paragraph([group[0][2:], *group[1:]])
            term = []
        else:
            term += group


def page(text, version):
    title, text = text.split("\n", 1)
    name, section = re.fullmatch(r"# ([\w.-]+)\((\d)\)", title).groups()
    yield f'.TH {name.upper()} {section} "" "lunfs {version}" "lunfs"'
    for block in blocks(text):
        heading = re.fullmatch(r"(##+) (.*)", block[0])
        if heading:
            yield (".SH " if heading[1] == "##" else ".SS ") + inline(heading[2])
        elif block[0].startswith("    "):
            yield from example(block)
        elif block[0].startswith("|"):
            yield from table(block)
        elif block[0].startswith("* "):
            for item in items(block, re.compile(r"\* ")):
                yield from (".IP \\(bu 2", paragraph([item[0][2:], *item[1:]]))
        elif any(line.startswith(": ") for line in block):
            yield from definitions(block)
        else:
            yield from (".PP", paragraph(block))


def main(version, path, output=None):
    # Not every terminal has the character.
    markdown = Path(path).read_text(encoding="utf-8").replace("…", "...")
    text = "\n".join(page(markdown, version)) + "\n"
    if output:
        # Without a time, so that the same page is always the same file.
        Path(output).write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        print(text, end="")


main(*sys.argv[1:])
