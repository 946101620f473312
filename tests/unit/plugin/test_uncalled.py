from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterf.plugin.loader import Registry, load_plugins

GOOD = """
from clusterf.plugin import hookimpl

CLUSTERF_API = "1.0"

@hookimpl
def clusterf_register_policies():
    return []

"""

CHECK, SOURCES = (
    f'did you mean "{name}"?' for name in ("clusterf_check", "clusterf_register_sources")
)
ALL = "one of " + ", ".join(
    [
        "clusterf_check",
        "clusterf_doctor",
        "clusterf_foretell",
        *(f"clusterf_register_{one}" for one in ("commands", "outputs", "policies", "sources")),
    ]
)


@pytest.fixture(autouse=True)
def _imports_of_drop_ins() -> Iterator[None]:
    yield
    sys.modules.pop("clusterf_dropin_x", None)


def load(folder: Path, text: str) -> Registry:
    path = folder / "x.py"
    path.write_text(text)
    path.chmod(0o644)
    return load_plugins([folder], bundled=())


def hooks(folder: Path, text: str) -> list[tuple[str, str, str]]:
    """Hook, message and hint of what is said about a plugin of this text, which is loaded."""
    registry = load(folder, GOOD + text)
    assert (registry.failures, [one.name for one in registry.plugins]) == ([], ["x"])
    assert {one.origin for one in registry.uncalled_hooks} <= {str(folder / "x.py")}
    return [(one.hook, one.message, one.hint) for one in registry.uncalled_hooks]


def test_a_hook_that_is_misspelt_is_told_with_what_was_meant(tmp_path: Path) -> None:
    assert hooks(tmp_path, "@hookimpl\ndef clusterf_register_source():\n    return []\n") == [
        (
            "clusterf_register_source",
            "hook clusterf_register_source is never called: there is no such hook",
            'did you mean "clusterf_register_sources"?',
        )
    ]


@pytest.mark.parametrize(
    ("text", "hook", "meant"),
    [
        ("@hookimpl\ndef clusterf_reconciled(report):\n    pass\n", "clusterf_reconciled", ALL),
        ("@hookimpl\ndef register_sources():\n    return []\n", "register_sources", SOURCES),
        ("@hookimpl(specname='clusterf_chek')\ndef f():\n    return []\n", "clusterf_chek", CHECK),
        ("def clusterf_chek(configuration):\n    return []\n", "clusterf_chek", CHECK),
        ("clusterf_chek = hookimpl(lambda configuration: [])\n", "clusterf_chek", CHECK),
    ],
)
def test_whatever_is_meant_as_a_hook_and_is_none_is_told(
    tmp_path: Path, text: str, hook: str, meant: str
) -> None:
    message = f"hook {hook} is never called: there is no such hook"
    assert hooks(tmp_path, text) == [(hook, message, meant)]


def test_a_hook_without_its_mark_is_told(tmp_path: Path) -> None:
    assert hooks(tmp_path, "def clusterf_register_sources():\n    return []\n") == [
        (
            "clusterf_register_sources",
            "hook clusterf_register_sources is never called: it is not marked",
            "write @hookimpl above it",
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "@hookimpl\ndef clusterf_check(document):\n    return []\n",
        "@hookimpl(specname='clusterf_check')\ndef checked(document):\n    return []\n",
        "@hookimpl(optionalhook=True)\ndef clusterf_reconciled(report):\n    pass\n",
        "def register_sources():\n    return []\n",
        "import clusterf_static\nclusterf_chek = 7\n",
    ],
)
def test_what_is_called_or_need_not_be_is_not_told(tmp_path: Path, text: str) -> None:
    assert hooks(tmp_path, text) == []


def test_a_plugin_that_is_not_loaded_is_told_as_that_alone(tmp_path: Path) -> None:
    registry = load(tmp_path, GOOD + "def clusterf_chek():\n    return []\n\n1 / 0\n")
    assert len(registry.failures) == 1
    assert registry.uncalled_hooks == []


def test_of_the_bundled_plugins_every_hook_is_called() -> None:
    assert load_plugins().uncalled_hooks == []
