from __future__ import annotations

import platform
from pathlib import Path

import pytest

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.explaining import explain
from clusterf.plugin.loader import LoadFailure
from tests.unit.plugin.texts import drop_in, good, load, only_failure

API = 'CLUSTERF_API = "1.0"\n'


def failure(folder: Path, text: str, name: str = "x.py") -> LoadFailure:
    drop_in(folder, name, API + text)
    return only_failure(load(folder))


# --- imports --------------------------------------------------------------------------------------


def test_a_library_that_is_not_there_is_told_with_what_is(folder: Path) -> None:
    told = failure(folder, "import yaml_of_sorts.loader\n")
    assert told.message == 'no module named "yaml_of_sorts"'
    assert f"its own Python {platform.python_version()}" in told.hint
    assert "the standard library, clusterf.plugin" in told.hint
    assert "trio 0." in told.hint
    assert told.hint.endswith("vendor pure-Python code beside the plugin")
    assert told.place == f"{folder}/x.py:2"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "import y",
            'no module named "y"',
            "drop-ins do not see one another: make a package of this and y",
        ),
        (
            "import clusterf.nothing",
            'no module named "clusterf.nothing"',
            "clusterf.plugin, clusterf.model and clusterf.testing are for plugins",
        ),
        (
            "from clusterf.plugin import PolicyTipe",
            "cannot be imported: cannot import name 'PolicyTipe' from 'clusterf.plugin'",
            'did you mean "PolicyType"?',
        ),
        (
            "from . import y",
            "cannot be imported: attempted relative import with no known parent package",
            "",
        ),
    ],
)
def test_what_was_meant_is_told(folder: Path, text: str, message: str, hint: str) -> None:
    drop_in(folder, "_other.py", "")
    (folder / "y").mkdir()
    told = failure(folder, text)
    assert told.message.startswith(message)
    assert told.hint.startswith(hint)


def test_a_standard_module_that_this_python_lacks(folder: Path) -> None:
    """Python knows the names of the modules of every system."""
    told = failure(folder, "import winreg\n")
    assert told.message == 'no module named "winreg"'
    assert told.hint == "this program leaves winreg out of its standard library"


def test_a_part_of_a_package_is_imported_relatively(folder: Path) -> None:
    drop_in(folder, "x/words.py", "")
    told = failure(folder, "import words\n", "x/__init__.py")
    assert told.hint == "within a package: from . import words"


def test_a_part_that_is_not_there(folder: Path) -> None:
    told = failure(folder, "from .wrods import y\n", "x/__init__.py")
    assert (told.message, told.hint) == ('no module named "x.wrods"', "it is not in the package")


def test_a_circle_of_imports_is_told_by_the_names_that_its_author_knows(folder: Path) -> None:
    drop_in(folder, "x/inner.py", "from . import later\n")
    told = failure(folder, "from . import inner\nlater = 1\n", "x/__init__.py")
    assert told.message.startswith("cannot be imported: cannot import name 'later' from 'x' (")
    assert told.hint.startswith("it is not there, or not yet")


def test_the_line_is_that_of_the_file_as_it_is(folder: Path) -> None:
    assert failure(folder, "1 / 0\n").source == "1 / 0"
    assert failure(folder, "#\n2 / 0\n").source == "2 / 0"


# --- places ---------------------------------------------------------------------------------------


def test_the_last_place_in_the_plugin_counts_not_that_of_a_library(folder: Path) -> None:
    told = failure(folder, "import json\n\ndef read():\n    return json.loads('{')\n\nread()\n")
    assert told.message.startswith("JSONDecodeError: ")
    assert (told.file, told.line, told.column) == (f"{folder}/x.py", 5, 5)
    assert told.source == "    return json.loads('{')"


def test_a_place_in_a_part(folder: Path) -> None:
    drop_in(folder, "x/inner.py", "\n\n1 / 0\n")
    told = failure(folder, "from . import inner\n", "x/__init__.py")
    assert told.place == f"{folder}/x/inner.py:3"
    assert told.origin == f"{folder}/x"


def test_a_place_in_a_hook(folder: Path) -> None:
    drop_in(folder, "x.py", good().replace("return [", "{}['x']\n    return ["))
    told = only_failure(load(folder))
    assert (told.message, told.source) == ("KeyError: 'x'", "    {}['x']")


def test_without_a_place_there_is_none() -> None:
    told = explain(ValueError("x"), Path("/x.py"))
    assert (told.message, told.file, told.line) == ("ValueError: x", "", 0)


def test_bad_syntax_has_line_and_column(folder: Path) -> None:
    told = failure(folder, "def f(x):\n    return (x]\n")
    assert told.message == (
        "is not valid Python: closing parenthesis ']' does not match opening parenthesis '('"
    )
    assert (told.line, told.column, told.source) == (3, 14, "    return (x]")


def test_bad_syntax_of_a_part(folder: Path) -> None:
    drop_in(folder, "x/inner.py", "def f(:\n")
    told = failure(folder, "from . import inner\n", "x/__init__.py")
    assert told.place == f"{folder}/x/inner.py:1"
    assert told.message == "is not valid Python: invalid syntax"


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["import sys\nsys.exit(3)", "raise SystemExit"])
def test_a_plugin_does_not_end_the_program(folder: Path, text: str) -> None:
    told = failure(folder, text)
    assert told.message == "calls sys.exit, and a plugin does not end the program"
    assert told.line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise OSError(2, 'No such file', '/etc/x')", "FileNotFoundError: [Errno 2] No such"),
        ("assert False", "AssertionError"),
        ("raise ValueError", "ValueError"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd", "Odd"),
        ("raise ImportError('x', name=5)", "cannot be imported: x"),
        ("raise ModuleNotFoundError('x', name=5)", "cannot be imported: x"),
        ("raise SyntaxError('x')", "SyntaxError: x"),
    ],
)
def test_anything_else_is_told_by_its_kind(folder: Path, text: str, message: str) -> None:
    assert failure(folder, text).message.startswith(message)


def test_what_we_refuse_is_told_as_it_is() -> None:
    told = explain(PluginLoadError("no", hint="yes"), None)
    assert (told.message, told.hint, told.line) == ("no", "yes", 0)
