"""What goes in is decided by metadata, and nothing of the GPL, of tests or of a desktop does."""

from __future__ import annotations

import sys

import pytest

from clusterf.plugin.dropins.provided import LIBRARIES
from clusterf.plugin.loader import BUNDLED
from freeze import contents
from tests.frozen.executables import DIST, FOLDER

INSIDE = FOLDER.path.parent / "_internal"


def test_the_standard_library_is_whole() -> None:
    missing = sys.stdlib_module_names - set(contents.standard_library()) - contents.LEFT_OUT.keys()
    assert missing <= {
        *("_dbm", "_gdbm", "_msi", "_overlapped", "_scproxy", "_winapi", "_winreg"),
        *("msilib", "msvcrt", "nt", "winreg", "winsound", "nis", "_crypt", "ossaudiodev", "spwd"),
    }, "neither there nor left out"


@pytest.mark.parametrize("name", ["test", "idlelib", "tkinter", "readline", "lib2to3.pgen2"])
def test_what_is_left_out_is_not_there(name: str) -> None:
    assert name not in contents.standard_library()


def test_no_module_of_a_test_suite_is_there() -> None:
    modules = [*contents.standard_library(), *contents.promised()]
    assert not [name for name in modules if {"test", "tests", "_tests"} & set(name.split("."))]


@pytest.mark.parametrize(
    "name",
    ["clusterf.plugin.commands", "clusterf.testing", *BUNDLED, "trio.testing", "pyroute2.ndb"],
)
def test_what_only_drop_ins_import_is_promised(name: str) -> None:
    assert name in contents.promised()


def test_compiled_modules_that_no_analysis_sees_are_found() -> None:
    assert any(name.endswith("__mypyc") for name in contents.unseen())


def test_tools_of_development_stay_outside() -> None:
    assert {"pytest", "mypy", "ruff", "hypothesis", "PyInstaller", "numpy"} <= set(
        contents.foreign()
    )
    assert not {"trio", "docker", "attr", "idna"} & set(contents.foreign())


def test_metadata_is_kept_without_paths_of_this_machine() -> None:
    names = [name for one in contents.inside() for name, _ in contents.papers(one)]
    assert len([name for name in names if name.endswith("METADATA")]) == len(contents.inside())
    assert not [name for name in names if name.endswith(("RECORD", "direct_url.json", "INSTALLER"))]


# --- in what was made ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["readline", "gdbm", "tcl", "tk8", "X11", "krb5", "tirpc"])
def test_no_such_library_is_inside(name: str) -> None:
    assert not [path for path in INSIDE.rglob("*.so*") if name in path.name]


def test_the_samples_are_inside() -> None:
    assert (INSIDE / "clusterf.toml").exists()
    for plugin in BUNDLED:
        assert (INSIDE / plugin / "sample.toml").exists()


def test_licences_are_inside() -> None:
    assert list(INSIDE.glob("clusterf-*.dist-info/licenses/LICENSE"))
    assert len(list(INSIDE.glob("*.dist-info/**/*LICEN[CS]E*"))) > len(LIBRARIES)


@pytest.mark.parametrize("form", ["clusterf", "clusterf-folder/clusterf"])
def test_no_path_of_this_machine_is_inside(form: str) -> None:
    assert str(DIST.parent).encode() not in (DIST / form).read_bytes()
