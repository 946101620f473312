"""Texts of plugins, and the folders that tests put them into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clusterf.plugin.loader import LoadFailure, Registry, load_plugins

GOOD = """
from clusterf.plugin import PolicyType, Settings, hookimpl

CLUSTERF_API = "1.0"

class Nothing(Settings):
    pass

class Same:
    def __init__(self, settings, context):
        pass

    def apply(self, service, facts):
        return service

@hookimpl
def clusterf_register_policies():
    return [PolicyType(name="NAME", settings=Nothing, create=Same, summary="changes nothing")]
"""

COMMAND = """
from clusterf.plugin import Command, hookimpl

CLUSTERF_API = "1.0"

async def run(invocation):
    return 0

@hookimpl
def clusterf_register_commands():
    return [
        Command(name=name, summary="greets", add_arguments=lambda parser: None, run=run)
        for name in NAMES
    ]
"""


def good(name: str = "same") -> str:
    """The text of a plugin that brings a policy."""
    return GOOD.replace("NAME", name)


def command(*names: str) -> str:
    """The text of a plugin that brings commands."""
    return COMMAND.replace("NAMES", repr(names))


def drop_in(folder: Path, name: str, text: str, *, mode: int = 0o644) -> Path:
    """Write one file, and the folder that it is in."""
    path = folder / name
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def load(*folders: Path, **facts: Any) -> Registry:
    """Load what is in these folders, and no bundled plugins unless they are named."""
    facts.setdefault("bundled", ())
    return load_plugins(folders, **facts)


def only_failure(registry: Registry) -> LoadFailure:
    """The failure of the one plugin that there was, which left nothing behind."""
    [failure] = registry.failures
    assert registry.plugins == []
    assert registry.manager.get_plugins() == set()
    return failure
