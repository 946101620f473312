"""Imports point one way: cli -> control -> engine -> config -> plugin -> pipeline -> model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = ("model", "pipeline", "plugin", "config", "engine", "control", "cli")
"""Rooms of the core, from the bottom. Each may import those before it."""

TOP = {"__main__": "cli", "testing": "cli"}
"""Modules and packages outside the rooms, and the room as which they count."""

PLUGIN_MAY = ("clusterf.plugin", "clusterf.model")
"""What of the core a plugin may import: the first exactly, the second with its modules."""

ONLY_IN = {
    "docker": ("clusterf_docker",),
    "requests": ("clusterf_docker",),
    "urllib3": ("clusterf_docker",),
    "pyroute2": ("clusterf_ipvs", "clusterf_addresses"),
    "watchfiles": ("clusterf_static",),
    "asyncio": (),
    "httpx2": ("clusterf_etcd", "examples"),
    "httpcore2": ("clusterf_etcd",),
    "anyio": (),
    "toml": ("clusterf", "clusterf_import"),
}
"""Libraries that few may import, and who."""


def imports(text: str) -> Iterator[tuple[int, str]]:
    """Modules that a source imports, also within functions and by constant names, with lines."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield node.lineno, alias.name
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
                for alias in node.names:
                    yield node.lineno, f"{module}.{alias.name}"
            case ast.ImportFrom():
                yield node.lineno, "."
            case ast.Call(
                func=ast.Name("__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str() as module), *_],
            ):
                yield node.lineno, module


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def faults_of_the_core(room: str, text: str) -> list[str]:
    """Imports that a file of ``clusterf/<room>/`` must not have."""
    below = LAYERS[: LAYERS.index(room) + 1]
    return [
        f"line {line}: {room} imports {module}"
        for line, module in imports(text)
        if module == "."
        or module.startswith("clusterf_")
        or any(within(module, f"clusterf.{other}") for other in LAYERS if other not in below)
    ]


def faults_of_a_plugin(name: str, text: str) -> list[str]:
    """Imports of the core, or of other plugins, that a file of a plugin must not have."""
    api, model = PLUGIN_MAY
    return [
        f"line {line}: {name} imports {module}"
        for line, module in imports(text)
        if module == "."
        or (module.startswith("clusterf_") and not within(module, name))
        or (
            within(module, "clusterf")
            and not within(module, model)
            and not (module == api or _is_name_of(module, api))
        )
    ]


def _is_name_of(module: str, api: str) -> bool:
    """Whether ``from clusterf.plugin import X`` was meant, and not one of its modules."""
    inner = module.removeprefix(f"{api}.")
    return inner != module and not (ROOT / "clusterf" / "plugin" / f"{inner}.py").exists()


def faults_of_libraries(package: str, text: str) -> list[str]:
    """Imports of libraries that are not for this package."""
    return [
        f"line {line}: {package} imports {module}"
        for line, module in imports(text)
        for library, allowed in ONLY_IN.items()
        if within(module, library) and package not in allowed
    ]


def core_files() -> list[tuple[str, Path]]:
    found = []
    for path in sorted((ROOT / "clusterf").rglob("*.py")):
        where = path.relative_to(ROOT / "clusterf").parts
        if len(where) > 1:
            found.append((TOP.get(where[0], where[0]), path))
        elif path.stem in TOP:
            found.append((TOP[path.stem], path))
        else:
            found.append((LAYERS[0], path))
    return found


def plugin_files() -> list[tuple[str, Path]]:
    return [
        (path.relative_to(ROOT / "plugins").parts[0], path)
        for path in sorted((ROOT / "plugins").rglob("*.py"))
    ]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(("room", "path"), core_files(), ids=lambda one: str(one).split("/")[-1])
def test_the_core_imports_downwards(room: str, path: Path) -> None:
    assert faults_of_the_core(room, path.read_text("utf-8")) == [], shown(path)


@pytest.mark.parametrize(("name", "path"), plugin_files(), ids=lambda one: str(one).split("/")[-1])
def test_a_plugin_imports_the_api_the_model_and_itself(name: str, path: Path) -> None:
    assert faults_of_a_plugin(name, path.read_text("utf-8")) == [], shown(path)


@pytest.mark.parametrize("path", [p for _, p in [*core_files(), *plugin_files()]], ids=shown)
def test_libraries_stay_where_they_are_wrapped(path: Path) -> None:
    package = path.relative_to(ROOT / "plugins").parts[0] if "plugins" in path.parts else "clusterf"
    assert faults_of_libraries(package, path.read_text("utf-8")) == []


def test_every_room_is_known() -> None:
    rooms = {path.parent.name for path in (ROOT / "clusterf").glob("*/__init__.py")}
    assert rooms - set(TOP) == set(LAYERS)


# --- the checker catches what it is for ----------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import clusterf.engine.board",
        "from clusterf.engine import board",
        "from clusterf import engine",
        "def f():\n    from clusterf.config.load import x",
        "if TYPE_CHECKING:\n    import clusterf.cli",
        "importlib.import_module('clusterf.control.server')",
        "__import__('clusterf.control')",
        "from . import board",
        "from ..engine import board",
        "import clusterf_docker",
    ],
)
def test_an_import_upwards_is_caught(text: str) -> None:
    assert faults_of_the_core("pipeline", text)


def test_an_import_downwards_is_fine() -> None:
    text = "from clusterf.model.table import Method\nimport clusterf.pipeline.drain\nimport trio"
    assert faults_of_the_core("pipeline", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from clusterf.engine.board import Board",
        "from clusterf.pipeline.plan import plan_table",
        "from clusterf.plugin.loader import BUNDLED",
        "from clusterf.plugin import loader",
        "import clusterf.plugin.settings",
        "from clusterf import plugin",
        "import clusterf_docker",
        "from . import settings",
    ],
)
def test_a_plugin_that_reaches_into_the_core_is_caught(text: str) -> None:
    assert faults_of_a_plugin("clusterf_static", text)


def test_a_plugin_s_own_modules_and_the_api_are_fine() -> None:
    text = (
        "from clusterf.plugin import Settings, hookimpl\nfrom clusterf.model.table import Method\n"
        "from clusterf_static.settings import X\nimport clusterf.plugin\nimport tomllib"
    )
    assert faults_of_a_plugin("clusterf_static", text) == []


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("clusterf", "import asyncio"),
        ("clusterf_ipvs", "from asyncio import run"),
        ("clusterf_static", "import docker"),
        ("clusterf_docker", "from pyroute2.netlink import x"),
        ("clusterf", "def f():\n    import pyroute2"),
    ],
)
def test_a_library_out_of_its_place_is_caught(package: str, text: str) -> None:
    assert faults_of_libraries(package, text)


def test_a_library_in_its_place_is_fine() -> None:
    assert faults_of_libraries("clusterf_docker", "import docker.errors\nimport dockerish") == []
