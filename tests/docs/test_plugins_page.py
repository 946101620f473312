"""docs/plugins.md from top to bottom: its files are written, its commands run, its answers held.

A fenced block with a name behind its language is a file (with ``+`` it is appended to it). In a
block of the language ``console`` lines with ``$`` are commands, and what follows is what they
print; ``...`` stands for anything, on a line of its own for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


class Block(NamedTuple):
    """A fenced block, and the line on which it begins."""

    line: int
    info: list[str]
    text: str


def blocks(text: str) -> list[Block]:
    return [
        Block(text[: found.start()].count("\n") + 1, found[1].split(), found[2])
        for found in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command with what it prints."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def matches(printed: str, shown: str) -> bool:
    lines = (
        "(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in shown.splitlines()
    )
    return re.fullmatch("".join(lines), printed) is not None


class Shell:
    """One shell from the beginning to the end: folders and variables stay."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "state"
        self._state.write_text("")
        self.folder = folder / "home"
        self.folder.mkdir()
        self._environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins"))),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder),
            "COLUMNS": "80",
        }

    def run(self, command: str) -> str:
        """What it prints, errors in their place among the rest."""
        script = (
            f'. "{self._state}"\numask 022\n{command}\n'
            f'{{ export -p; echo cd "$PWD"; }} > "{self._state}"\n'
        )
        done = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return done.stdout.decode()

    @property
    def here(self) -> Path:
        """Where it is now."""
        return Path(self.run("pwd").strip())


def write(folder: Path, block: Block) -> None:
    """A file of the page."""
    path = folder / block.info[1]
    path.parent.mkdir(exist_ok=True, mode=0o755)
    before = path.read_text("utf-8") + "\n" if block.info[2:] == ["+"] else ""
    path.write_text(before + block.text, "utf-8")
    path.chmod(0o644)


def test_a_newcomer_who_does_what_the_page_says_sees_what_it_shows(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    ran = 0
    for block in blocks(PAGE.read_text("utf-8")):
        if block.info == ["console"]:
            for command, shown in commands(block):
                printed = shell.run(command)
                assert matches(printed, shown), (
                    f"{PAGE.name}:{block.line}: $ {command}\nprints\n{printed}\nand not\n{shown}"
                )
                ran += 1
        elif len(block.info) > 1:
            write(shell.here, block)
    assert ran > 10


def test_every_block_is_run_but_pictures() -> None:
    """A block of Python or TOML without a name would be one that nobody looks at."""
    for block in blocks(PAGE.read_text("utf-8")):
        assert not block.info or block.info == ["console"] or len(block.info) > 1, block.line


def test_every_role_and_the_testing_are_shown() -> None:
    text = PAGE.read_text("utf-8")
    for word in ("SourceType", "PolicyType", "OutputType", "Command", "clusterf_check"):
        assert word in text
    from clusterf import testing  # noqa: PLC0415 - what it offers is what is held

    for name in testing.__all__:
        assert f"`{name}" in text, name


def test_its_links_lead_somewhere() -> None:
    links = [(path, part) for path, part in _LINK.findall(PAGE.read_text("utf-8"))]
    assert links
    for path, part in links:
        if path.startswith("https://"):
            continue
        target = (PAGE.parent / path).resolve()
        assert target.exists(), path
        if part:
            assert re.search(rf"^#+ {part}$", target.read_text("utf-8"), re.MULTILINE), part


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "b\n", False),
        ("12:00 done\n", "... done\n", True),
        ("a\nx\ny\nb\n", "a\n...\nb\n", True),
        ("a\nb\n", "a\n...\nb\n", True),
        ("a\nx\n", "a\n", False),
        ("a (b)\n", "a (b)\n", True),
    ],
)
def test_answers_are_held_line_by_line(printed: str, shown: str, *, same: bool) -> None:
    assert matches(printed, shown) == same
