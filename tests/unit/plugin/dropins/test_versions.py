from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins import versions
from clusterf.plugin.dropins.versions import stated_api
from tests.unit.plugin.texts import drop_in, load, only_failure


def stated(text: str) -> str:
    return stated_api(text.encode(), "x.py")


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(PluginLoadError) as told:
        stated(text)
    return str(told.value.args[0]), told.value.hint


@pytest.mark.parametrize("version", ['"1.0"', "'1.0'"])
@pytest.mark.parametrize(
    "form",
    ["CLUSTERF_API = {}", "CLUSTERF_API: str = {}", "'''Doc.'''\n\nx = 1\nCLUSTERF_API = {}"],
)
def test_a_stated_version_that_fits(form: str, version: str) -> None:
    assert stated(form.format(version)) == "1.0"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("2.0", "update clusterf"),
        ("1.1", "update clusterf"),
        ("1.99", "update clusterf"),
        ("0.9", "update the plugin"),
    ],
)
def test_a_version_that_does_not_fit_is_refused_naming_both(wanted: str, hint: str) -> None:
    message, told = refused(f'CLUSTERF_API = "{wanted}"')
    assert message == f"was written for plugin API {wanted}, this is 1.0"
    assert told.startswith(hint)


def test_what_does_not_fit_is_not_run(folder: Path) -> None:
    drop_in(folder, "x.py", 'CLUSTERF_API = "2.0"\nraise SystemExit("it ran")\n')
    assert "plugin API 2.0" in only_failure(load(folder)).message


def test_an_older_minor_version_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "API_VERSION", "1.3")
    assert stated('CLUSTERF_API = "1.0"') == "1.0"
    assert stated('CLUSTERF_API = "1.3"') == "1.3"
    assert "1.4" in refused('CLUSTERF_API = "1.4"')[0]


@pytest.mark.parametrize("wanted", ["1", "one", "1.0.0", "", "1.x", "-1.0", "1.\u0660"])
def test_what_is_no_version_is_refused(wanted: str) -> None:
    assert refused(f'CLUSTERF_API = "{wanted}"') == (
        f'CLUSTERF_API = "{wanted}" is no version',
        'such as "1.0"',
    )


@pytest.mark.parametrize(
    "text", ["", "CLUSTERF_API = 1.0", "API = '1.0'", "if True:\n    CLUSTERF_API = '1.0'"]
)
def test_a_drop_in_that_states_no_version_is_refused(text: str) -> None:
    assert refused(text) == ("does not state its API version", 'add CLUSTERF_API = "1.0"')


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"x = 1\ndef f(:\n", 2),
        (b"\n\n  x = 1\n", 3),
        (b"x = '\xe9'\n", 1),
        (b"# ok\nx = 1\0\n", 2),
        (b"(" * 3000, 1),
    ],
)
def test_what_is_no_python_has_a_place(content: bytes, line: int) -> None:
    with pytest.raises(SyntaxError) as told:
        stated_api(content, "x.py")
    assert (told.value.filename, told.value.lineno) == ("x.py", line)
