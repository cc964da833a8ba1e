#!/usr/bin/env python3
"""Shows that each lint check passes a good tree and finds a fault that is planted in it."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

GOOD = {
    ".clang-format": "BasedOnStyle: Google\n",
    "base/error.h": "#pragma once\n",
    "base/error.cpp": '#include "base/error.h"\n\n#include <vector>\n',
    "iscsi/lun.h": '#pragma once\n\n#include "base/error.h"\n',
    "iscsi/lun.cpp": '#include "iscsi/lun.h"\n\n#include <iscsi/iscsi.h>\n',
    "volume/lvm/vg.h": '#pragma once\n\n#include "base/error.h"\n',
    "volume/lvm/text.cpp": "#include <libdevmapper.h>\n",
    "volume/vhd/vhd.h": "#pragma once\n",
    "volume/sr/sr.h": '#pragma once\n\n#include "volume/lvm/vg.h"\n#include "volume/vhd/vhd.h"\n',
    "fs/fs.h": '#pragma once\n\n#include <fuse_lowlevel.h>\n\n#include "volume/sr/sr.h"\n',
    "tests/unit/fs_test.cpp": '#include "fs/fs.h"\n',
    "docs/page.md": "The agenda of a workplace: /workers/x, $DIR/root/x, tissue 1.\n",
}


class LintCase(unittest.TestCase):
    script = ""

    def run_on(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return subprocess.run(
                [sys.executable, HERE / self.script, folder],
                capture_output=True, text=True, check=False,
            )

    def assert_passes(self, files):
        done = self.run_on({**GOOD, **files})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_finds(self, name, text, words):
        done = self.run_on({**GOOD, name: text})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(name, done.stdout)
        self.assertIn(words, done.stdout)


class IncludeLayers(LintCase):
    script = "include_layers.py"

    def test_good_tree_passes(self):
        self.assert_passes({})

    def test_upward_include(self):
        self.assert_finds("base/up.cpp", '#include "iscsi/lun.h"\n', "against the arrows")
        self.assert_finds("volume/lvm/up.h", '#pragma once\n#include "volume/sr/sr.h"\n', "arrows")
        self.assert_finds("iscsi/up.cpp", '  #  include "fs/fs.h"\n', "against the arrows")

    def test_sibling_include(self):
        self.assert_finds("iscsi/side.cpp", '#include "volume/lvm/vg.h"\n', "against the arrows")
        self.assert_finds("volume/vhd/side.cpp", '#include "volume/lvm/vg.h"\n', "arrows")
        self.assert_finds("volume/sr/side.cpp", '#include "iscsi/lun.h"\n', "against the arrows")
        self.assert_finds("tools/side.cpp", '#include "fs/fs.h"\n', "against the arrows")

    def test_tests_stay_out_of_the_product(self):
        files = {"tests/support/x.h": "#pragma once\n"}
        self.assert_passes(files)
        done = self.run_on({**GOOD, **files, "fs/x.cpp": '#include "tests/support/x.h"\n'})
        self.assertIn("fs/x.cpp:1: tests/support/x.h does not belong into fs/", done.stdout)

    def test_library_headers_in_wrong_places(self):
        self.assert_finds("base/x.cpp", "#include <fuse_lowlevel.h>\n", "fs/ only")
        self.assert_finds("tools/x.cpp", "#include <fuse3/fuse.h>\n", "fs/ only")
        self.assert_finds("fs/x.cpp", "#include <iscsi/iscsi.h>\n", "iscsi/ only")
        self.assert_finds("iscsi/x.h", "#pragma once\n#include <iscsi/iscsi.h>\n", "*.cpp only")
        self.assert_finds("volume/sr/x.cpp", "#include <libdevmapper.h>\n", "volume/lvm/ only")
        self.assert_finds("volume/lvm/x.h", "#pragma once\n#include <libdevmapper.h>\n", "*.cpp only")

    def test_short_and_missing_paths(self):
        self.assert_finds("base/x.cpp", '#include "error.h"\n', "full path")
        self.assert_finds("base/x.cpp", '#include "base/../base/error.h"\n', "full path")
        self.assert_finds("base/x.cpp", '#include "base/error.cpp"\n', "no header")

    def test_header_without_pragma_once(self):
        self.assert_finds("base/x.h", "// #pragma once\n", "#pragma once")

    def test_unknown_folder(self):
        self.assert_finds("volume/zfs/x.cpp", "\n", "no known folder")


class FileSizes(LintCase):
    script = "file_sizes.py"

    def test_limits(self):
        self.assert_passes({"base/x.cpp": "\n" * 600, "base/CMakeLists.txt": "\n" * 40})
        self.assert_finds("base/x.cpp", "\n" * 601, "601 lines")
        self.assert_finds("tests/x.sh", "\n" * 601, "601 lines")
        self.assert_finds("base/CMakeLists.txt", "\n" * 41, "at most 40")


class CodeFormat(LintCase):
    script = "code_format.py"

    def test_format(self):
        self.assert_passes({"base/x.cpp": "int x = 1;\n"})
        self.assert_finds("base/x.cpp", "int  x=1 ;\n", "base/x.cpp:1")


class BannedWords(LintCase):
    script = "banned_words.py"

    def test_good_tree_passes(self):
        self.assert_passes({"tests/data/report.txt": "/work" + "/x\n"})

    def test_paths_of_a_machine(self):
        self.assert_finds("docs/x.md", "see /work" + "/main/x\n", "machine")
        self.assert_finds("scripts/x", "cp a '/root" + "/b'\n", "machine")
        self.assert_finds("docs/x.md", "see .." + "/shared/x.md\n", "out of the tree")

    def test_words_of_the_workshop(self):
        self.assert_finds("docs/x.md", "\nwritten by an age" + "nt\n", "docs/x.md:2")
        self.assert_finds("base/x.h", "// for iss" + "ue 12\n", "list of work")


class CoroutinePitfalls(LintCase):
    script = "coroutine_pitfalls.py"

    def test_good_code_passes(self):
        self.assert_passes({
            "base/x.cpp": """
              // if (co_await x)
              const char* text = "while (co_await x)";
              const bool done = co_await x;
              if (done) co_await y;
              for (int i = 0; i < 3; ++i) { co_await z; }
              try { co_await x; } catch (const Error& error) { failed = true; }
              while (waits([](int a) -> Task<void> { co_await a; })) {}
            """
        })

    def test_conditions(self):
        for code in ("if (co_await x) {}", "while (!(co_await x)) {}", "if (a &&\n co_await x) {}",
                     "for (auto i : co_await x) {}", "switch (co_await x) {}"):
            self.assert_finds("base/x.cpp", code + "\n", "co_await in a condition")

    def test_catch_blocks_and_branches(self):
        self.assert_finds("base/x.cpp", "try {\n} catch (...) {\n  if (a) { co_await x; }\n}\n",
                          "base/x.cpp:3: co_await in a catch block")
        self.assert_finds("base/x.cpp", "int a = b ? co_await x : 1;\n", "a branch of ?:")
        self.assert_finds("base/x.cpp", "int a = b ? 1 : co_await x;\n", "a branch of ?:")


HELP = """Does x.
Usage: lunfs-x [OPTIONS] SUBCOMMAND

Options:
  -h,--help                       this text

Subcommands:
  show                            shows it
"""
HELP_OF_SHOW = """shows it

Options:
  -h,--help                       this text
  --file FILE                     with --no-option in its text
"""
PAGE = """# lunfs-x(8)

## COMMANDS

### show

\\-\\-file *FILE*
: A file; see --other.

## OPTIONS

-h, \\-\\-help
: Help.
"""
MOUNT_HELP = """lunfs shows.

  -f, --foreground    stay
  -o, --options OPTIONS, comma-separated:
    ro, rw              how
"""
MOUNT_PAGE = """# lunfs(8)

## OPTIONS

-f, \\-\\-foreground
: Stay.

-o, \\-\\-options *OPTIONS*
: Words.

| Option | Default | Meaning |
|---|---|---|
| `ro`, `rw` | `rw` | How |
| `sessions=N` | 1 | Not more: not available yet |
"""


class ManOptions(unittest.TestCase):
    def run_on(self, pages, programs):
        """programs: name to its --help, and "name command" to that of a command."""
        with tempfile.TemporaryDirectory() as folder:
            root, out = pathlib.Path(folder) / "root", pathlib.Path(folder) / "bin"
            (root / "docs/man").mkdir(parents=True)
            out.mkdir()
            for name, text in pages.items():
                (root / "docs/man" / name).write_text(text, encoding="utf-8")
            for name in {words.split()[0] for words in programs}:
                script = "#!/bin/bash\ncase $* in\n"
                for words, text in programs.items():
                    if words.split()[0] == name:
                        arguments = " ".join([*words.split()[1:], "--help"])
                        script += f"'{arguments}') cat <<'END'\n{text}END\n;;\n"
                (out / name).write_text(script + "*) exit 7 ;;\nesac\n", encoding="utf-8")
                (out / name).chmod(0o755)
            return subprocess.run([sys.executable, HERE / "man_options.py", root, out],
                                  capture_output=True, text=True, check=False)

    def run_tool(self, page=PAGE, help_text=HELP, help_of_show=HELP_OF_SHOW):
        return self.run_on({"lunfs-x.8.md": page, "lunfs-x.5.md": "no program"},
                           {"lunfs-x": help_text, "lunfs-x show": help_of_show})

    def run_mount(self, page=MOUNT_PAGE, help_text=MOUNT_HELP):
        return self.run_on({"lunfs.8.md": page}, {"lunfs": help_text})

    def assert_finds(self, done, words):
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(words, done.stdout)

    def test_equal_ones_pass(self):
        for done in (self.run_tool(), self.run_mount()):
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_option_missing_in_the_page(self):
        self.assert_finds(self.run_tool(help_of_show=HELP_OF_SHOW + "  --json   prints\n"),
                          "lunfs-x show: --json is in --help and not in the page")

    def test_option_missing_in_help(self):
        self.assert_finds(self.run_tool(page=PAGE.replace("file *FILE*", "file *FILE*, \\-\\-json")),
                          "lunfs-x show: --json is in the page and not in --help")

    def test_commands_differ(self):
        self.assert_finds(self.run_tool(page=PAGE.replace("### show", "### tell")),
                          "lunfs-x: tell is in the page and not in --help")

    def test_program_without_a_page(self):
        self.assert_finds(self.run_on({}, {"lunfs-x": HELP}), "lunfs-x has no page")

    def test_page_without_a_program(self):
        self.assert_finds(self.run_on({"lunfs-x.8.md": PAGE}, {}), "page of no program")

    def test_mount_option_missing_in_the_page(self):
        self.assert_finds(self.run_mount(help_text=MOUNT_HELP + "    cache=auto|none  which\n"),
                          "lunfs -o: cache is in --help and not in the page")

    def test_mount_option_missing_in_help(self):
        self.assert_finds(self.run_mount(page=MOUNT_PAGE + "| `uid=` | | Owner |\n"),
                          "lunfs -o: uid is in the page and not in --help")


if __name__ == "__main__":
    unittest.main()
