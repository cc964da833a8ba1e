#!/usr/bin/env python3
"""Keeps co_await out of the places where g++ 12 makes wrong code of it, or none: the condition of an
if, while, for or switch, a branch of ?:, and a catch block. A named result is the way round."""

import re

import source_tree

NOISE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | R"\((?:.*?)\)" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+'""",
    re.DOTALL | re.VERBOSE,
)
CONDITION = re.compile(r"\b(?:if|while|for|switch)\s*(?:constexpr\s*)?(?=\()")
CATCH = re.compile(r"\bcatch\s*\([^)]*\)\s*(?=\{)")
TERNARY = re.compile(r"[?]\s*co_await|[?][^;{}:]*:\s*co_await")
AWAIT = re.compile(r"\bco_await\b")
# The body of a lambda is another function.
LAMBDA_BODY = re.compile(r"\]\s*(?:\([^()]*\))?[^;{}()]*(?=\{)")


def blanked(text, pattern):
    """The text with all matches as spaces; line ends stay."""
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def span_from(text, start):
    """The end of the bracket that opens at start."""
    opening = text[start]
    closing = {"(": ")", "{": "}"}[opening]
    depth = 0
    for position in range(start, len(text)):
        if text[position] == opening:
            depth += 1
        elif text[position] == closing:
            depth -= 1
            if depth == 0:
                return position + 1
    return len(text)


def without_lambdas(code):
    """A bracket's text without the bodies of lambdas in it."""
    match = LAMBDA_BODY.search(code)
    while match:
        end = span_from(code, match.end())
        code = code[: match.end()] + re.sub(r"[^\n]", " ", code[match.end() : end]) + code[end:]
        match = LAMBDA_BODY.search(code, end)
    return code


def faults_of(code):
    """Positions and descriptions."""
    for pattern, place in ((CONDITION, "a condition"), (CATCH, "a catch block")):
        for found in pattern.finditer(code):
            inside = without_lambdas(code[found.end() : span_from(code, found.end())])
            awaited = AWAIT.search(inside)
            if awaited:
                yield found.end() + awaited.start(), place
    for found in TERNARY.finditer(code):
        yield found.start(), "a branch of ?:"


def check(root):
    for path in source_tree.code_files(root):
        code = blanked(source_tree.text_of(root, path) or "", NOISE)
        for position, place in faults_of(code):
            yield f"{path}:{source_tree.line_of(code, position)}: co_await in {place}"


if __name__ == "__main__":
    source_tree.main(check)
