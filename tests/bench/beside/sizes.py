"""What a program takes to have it on Debian's minimal system: bytes to download, and installed."""

from __future__ import annotations

import lzma
import re
import subprocess
from pathlib import Path

from tests.bench.beside.programs import Program
from tests.frozen import bare
from tests.frozen.executables import FOLDER, ONE_FILE


def of(program: Program) -> tuple[int, int]:
    """To download, and installed, with what it depends on and the minimal system lacks."""
    if program.package is not None:
        return _of_package(program.package)
    if program.version[0] == str(ONE_FILE.path):
        return _compressed([ONE_FILE.path]), ONE_FILE.path.stat().st_size
    files = sorted(path for path in FOLDER.path.parent.rglob("*") if path.is_file())
    return _compressed(files), sum(path.stat().st_size for path in files)


def _compressed(files: list[Path]) -> int:
    """As .xz; all of it at once, as in an archive."""
    compressor = lzma.LZMACompressor(preset=6)
    size = sum(len(compressor.compress(path.read_bytes())) for path in files)
    return size + len(compressor.flush())


def _of_package(name: str) -> tuple[int, int]:
    status = f"Dir::State::status={bare.made()}/var/lib/dpkg/status"
    planned = _said("apt-get", "-s", "-o", status, "--no-install-recommends", "install", name)
    added = re.findall(r"^Inst (\S+) \((\S+)", planned, re.MULTILINE)
    records = [_said("apt-cache", "show", f"{one}={version}") for one, version in added]
    return (
        sum(_number("Size", record) for record in records),
        sum(_number("Installed-Size", record) * 1024 for record in records),
    )


def _number(field: str, record: str) -> int:
    (found, *_) = re.findall(rf"^{field}: (\d+)$", record, re.MULTILINE)
    return int(found)


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
