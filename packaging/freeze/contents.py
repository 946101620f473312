"""What goes into the executable: modules and the papers of distributions, decided from metadata.

Users' drop-ins are unknown when the executable is made, so what they may import goes in whole:
the standard library, clusterf with its plugins, and the libraries that are promised to them. What
else PyInstaller's analysis finds comes along if it belongs to a distribution that clusterf
requires: what happens to be installed beside these changes nothing.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clusterf.plugin.dropins.provided import LIBRARIES
from clusterf.plugin.loader import BUNDLED

APPLICATION = "clusterf"

LEFT_OUT = {
    "_gdbm": "its library is under the GPL",
    "dbm.gnu": "the same",
    "readline": "its library is under the GPL",
    "_tkinter": "for a desktop",
    "idlelib": "for a desktop",
    "tkinter": "for a desktop",
    "turtle": "for a desktop",
    "turtledemo": "for a desktop",
    "nis": "brings Kerberos and SunRPC; gone from Python 3.13",
    "ensurepip": "installs pip, and there is no place to install to",
    "venv": "copies an interpreter, and there is none",
    "lib2to3": "gone from Python 3.13",
    "test": "a test suite",
    "_ctypes_test": "of the test suite",
    "_testbuffer": "of the test suite",
    "_testcapi": "of the test suite",
    "_testclinic": "of the test suite",
    "_testimportmultiple": "of the test suite",
    "_testinternalcapi": "of the test suite",
    "_testmultiphase": "of the test suite",
    "_xxsubinterpreters": "of the test suite",
    "_xxtestfuzz": "of the test suite",
    "xxlimited": "an example",
    "xxlimited_35": "an example",
    "xxsubtype": "an example",
}
"""Of the standard library, and why."""

UNUSED = {"pygments": "colours for source code, of which we print none; 2 MB"}
"""Of what clusterf requires, and why."""

PAPERS = ("METADATA", "entry_points.txt", "LICENSE*", "COPYING*", "NOTICE*", "licenses/*")
"""What is kept of a distribution's metadata. Others name paths of the machine that builds."""

_TESTS = {"test", "tests", "_tests", "idle_test"}


# --- modules -------------------------------------------------------------------------------------


def standard_library() -> list[str]:
    """Every module of the standard library that this Python has and that is not left out."""
    return sorted(
        module
        for name in sys.stdlib_module_names
        if name not in LEFT_OUT and importlib.util.find_spec(name) is not None
        for module in modules_of(name)
        if module not in LEFT_OUT
    )


def promised() -> list[str]:
    """Every module that drop-ins may import besides the standard library."""
    names = [APPLICATION, *BUNDLED, *LIBRARIES]
    return sorted(module for name in names for module in modules_of(name))


def unseen() -> list[str]:
    """Modules that compiled code imports, which no analysis sees: mypyc's, beside its packages."""
    return sorted(
        {
            path.name.partition(".")[0]
            for one in required()
            for path in one.files or ()
            if len(path.parts) == 1 and path.suffix == ".so"
        }
    )


def modules_of(name: str) -> Iterator[str]:
    """A module and all below it, found by their files, as importing each may do anything."""
    yield name
    spec = importlib.util.find_spec(name)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield from _below(name, Path(folder))


def _below(package: str, folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        name = path.name.partition(".")[0]
        if not name.isidentifier() or name in {"__init__", "__main__", *_TESTS}:
            continue
        if path.is_dir():
            if (path / "__init__.py").exists():
                yield f"{package}.{name}"
                yield from _below(f"{package}.{name}", path)
        elif path.name.endswith(tuple(importlib.machinery.all_suffixes())):
            yield f"{package}.{name}"


# --- distributions -------------------------------------------------------------------------------


def required(name: str = APPLICATION) -> list[Distribution]:
    """The distribution of this name, what it requires, and what that requires; by their names."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(name)]
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name)
        if key not in found or wanted.extras:
            found[key] = one = installed(wanted.name)
            waiting.extend(requirements_of(one, wanted.extras))
    return [found[key] for key in sorted(found)]


def installed(name: str) -> Distribution:
    """The distribution as pip has installed it.

    In a working copy another one can come first: the leavings of setuptools in ``*.egg-info``.
    """
    for one in distributions(name=name):
        if one.read_text("METADATA") is not None:
            return one
    raise PackageNotFoundError(name)


def inside() -> list[Distribution]:
    """The distributions of which something goes in."""
    return [one for one in required() if not top_level(one) & UNUSED.keys()]


def requirements_of(one: Distribution, extras: Iterable[str] = ()) -> list[Requirement]:
    """What a distribution requires on this platform, with these extras."""
    return [
        requirement
        for requirement in map(Requirement, one.requires or ())
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def foreign() -> list[str]:
    """Top-level modules of installed distributions that clusterf does not require."""
    ours = {canonicalize_name(one.name) for one in required()}
    inside = {name for one in required() for name in top_level(one)}
    outside = {
        name
        for one in distributions()
        if canonicalize_name(one.name) not in ours
        for name in top_level(one)
    }
    return sorted(outside - inside - sys.stdlib_module_names)


def top_level(one: Distribution) -> set[str]:
    """The names that a distribution puts where Python imports from."""
    names = {
        path.parts[0].partition(".")[0]
        for path in one.files or ()
        if len(path.parts) > 1 or path.suffix in {".py", ".so"}
    }
    return {name for name in names if name.isidentifier() and name != "__pycache__"}


def papers(one: Distribution) -> Iterator[tuple[str, bytes]]:
    """Names, below the executable's folder, and contents of what is kept of the metadata.

    Of the descriptions only the head stays, which tells names, versions and licences.
    """
    folder = f"{canonicalize_name(one.name).replace('-', '_')}-{one.version}.dist-info"
    for path in sorted(one.files or (), key=str):
        if not path.parts[0].endswith(".dist-info"):
            continue
        if not any(Path(*path.parts[1:]).match(pattern) for pattern in PAPERS):
            continue
        content = path.read_binary()
        if path.name == "METADATA":
            content = content.partition(b"\n\n")[0] + b"\n"
        yield str(Path(folder, *path.parts[1:])), content
