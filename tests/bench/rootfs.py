"""The files of a guest that boots from memory: this interpreter, its libraries, the project.

Every file has the path in the guest that it has here, so that a command line, a virtual
environment and an rpath mean the same on both sides.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import marshal
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import cpio
from tests.bench.cpio import Content, Symlink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.bench.kernel import Kernel

PROJECT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = PROJECT / "build" / "bench"
PROGRAMS: Final = ("busybox", "ipvsadm", "ip", "etcd")
# Parts of the standard library that no command of the project touches, by far the largest ones.
_LEFT_OUT: Final = frozenset(
    [
        *("test", "unittest/test", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo"),
        *("pydoc_data", "distutils", "venv", "site-packages", "dist-packages", "__pycache__"),
    ]
)
SOURCES: Final = ("clusterf", "plugins", "tests/bench", "tests/unit/plugins/clusterf_docker")


def base() -> dict[str, Content]:
    """What changes seldom: interpreter, standard library, the project's dependencies, programs."""
    files: dict[str, Content] = {}
    _add_interpreter(files)
    for source in (*_standard_library(), *_dependencies()):
        _add_file(files, source)
    for name in PROGRAMS:
        files[str(program(name))] = program(name)
    binaries = [path for path, content in files.items() if _is_binary(path, content)]
    for library in _libraries(binaries):
        files.setdefault(str(library), library.resolve())
    return files


def project() -> dict[str, Content]:
    """The project's own code as it is at this moment."""
    files: dict[str, Content] = {}
    for folder in SOURCES:
        for source in sorted((PROJECT / folder).rglob("*")):
            if source.is_file() and "__pycache__" not in source.parts:
                _add_file(files, source)
    return files


def program(name: str) -> Path:
    """Find a program of this machine.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return Path(found)


def _add_interpreter(files: dict[str, Content]) -> None:
    real = Path(sys.executable).resolve()
    files[str(real)] = real
    if sys.executable != str(real):
        files[sys.executable] = Symlink(str(real))
    environment = Path(sys.prefix) / "pyvenv.cfg"
    if environment.exists():
        files[str(environment)] = environment


def _add_file(files: dict[str, Content], source: Path) -> None:
    files[str(source)] = source
    if source.suffix == ".py":
        files[importlib.util.cache_from_source(str(source))] = _compiled(source)


def _compiled(source: Path) -> bytes:
    """A .pyc in the form of PEP 552 that is never checked: the guest's files carry no date."""
    text = source.read_bytes()
    code = compile(text, str(source), "exec", dont_inherit=True)
    unchecked_hash = (1).to_bytes(4, "little")
    header = importlib.util.MAGIC_NUMBER + unchecked_hash + importlib.util.source_hash(text)
    return header + marshal.dumps(code)


def _standard_library() -> Iterator[Path]:
    root = Path(sysconfig.get_path("stdlib"))
    for folder, children, names in os.walk(root):
        at = Path(folder).relative_to(root)
        children[:] = [
            name
            for name in children
            if name not in _LEFT_OUT
            and str(at / name) not in _LEFT_OUT
            and not name.startswith("config-")
        ]
        yield from (Path(folder) / name for name in names if name.endswith((".py", ".so")))


def _dependencies() -> Iterator[Path]:
    """Every file of the distributions that the project requires, with what these require."""
    waiting = _required()
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if name.lower() in seen or "extra ==" in requirement:
            continue
        seen.add(name.lower())
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if ";" in requirement:  # a marker: for another platform or Python
                continue
            raise
        waiting += distribution.requires or []
        for file in distribution.files or []:
            path = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and file.suffix != ".pyc" and path.is_file():
                yield path


def _required() -> list[str]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return list(settings["project"]["dependencies"])


def _is_binary(path: str, content: Content) -> bool:
    if not isinstance(content, Path):
        return False
    return path.endswith(".so") or ".so." in path or os.access(content, os.X_OK)


def _libraries(binaries: Iterable[str]) -> set[Path]:
    """Shared libraries that these need; ldd also names the dynamic loader."""
    listing = subprocess.run(
        ["ldd", *binaries],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout
    return {Path(path) for path in re.findall(r"^\t(?:\S+ => )?(/\S+) \(0x", listing, re.MULTILINE)}


def base_archive(linux: Kernel) -> Path:
    """An archive of `base` and the kernel's modules, made anew when one of them has changed."""
    installed = [program(name).stat().st_mtime_ns for name in PROGRAMS]
    found = importlib.metadata.distributions()
    packages = sorted((distribution.name, distribution.version) for distribution in found)
    parts = (sys.version, sys.executable, linux, installed, packages, _required())
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    archive = BUILD / f"base-{digest}.cpio"
    if not archive.exists():
        for stale in BUILD.glob("base-*.cpio"):
            stale.unlink()
        files = base()
        files.update({str(module): module for module in linux.modules})
        partial = archive.with_suffix(".partial")
        with partial.open("wb") as out:
            cpio.write(out, files)
        partial.rename(archive)
    return archive
