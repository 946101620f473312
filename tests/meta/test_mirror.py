"""Each file with logic has its test at the same path, and each test its file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"

TESTED_ELSEWHERE: dict[str, str] = {
    "plugins/clusterf_static/__init__.py": "its hooks: tests/meta/test_plugins.py, test_check.py",
}
"""Files without a test of their own, and where they are tested. The list only shrinks."""

TESTS_OF_NO_FILE: dict[str, str] = {}
"""Test files that mirror no file, and why."""


def has_logic(text: str) -> bool:
    """Whether a source does anything: a function with a body of more than words."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            body = node.body if isinstance(node.body, list) else [node.body]
            if not all(_is_words(statement) for statement in body):
                return True
    return False


def _is_words(statement: ast.AST) -> bool:
    """A docstring, or the dots of a protocol."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def mirror_of(source: Path) -> Path:
    """Where the test of a source is; both relative to the project."""
    parts = source.parts[1:] if source.parts[0] == "clusterf" else source.parts
    return Path("tests", "unit", *parts[:-1], f"test_{source.name}")


def real_mirror_of(source: Path) -> Path | None:
    """Where it may be instead: what has no meaning without etcd is tested on a real one."""
    if "clusterf_etcd" in source.parts:
        return Path("tests", "etcd", f"test_{source.name}")
    return None


def sources() -> list[Path]:
    return [
        path.relative_to(ROOT)
        for folder in ("clusterf", "plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def with_logic() -> list[Path]:
    return [path for path in sources() if has_logic((ROOT / path).read_text("utf-8"))]


@pytest.mark.parametrize("source", with_logic(), ids=str)
def test_each_file_with_logic_has_its_test(source: Path) -> None:
    real = real_mirror_of(source)
    if str(source) not in TESTED_ELSEWHERE and not (real and (ROOT / real).exists()):
        assert (ROOT / mirror_of(source)).exists(), f"{source} needs {mirror_of(source)}"


@pytest.mark.parametrize(
    "test", [path.relative_to(ROOT) for path in sorted(UNIT.rglob("test_*.py"))], ids=str
)
def test_each_test_has_its_file(test: Path) -> None:
    if str(test) not in TESTS_OF_NO_FILE:
        assert test in {mirror_of(source) for source in sources()}


@pytest.mark.parametrize("exception", TESTED_ELSEWHERE)
def test_each_exception_is_still_needed_and_says_where(exception: str) -> None:
    assert Path(exception) in with_logic(), "gone, or without logic: take it off the list"
    assert not (ROOT / mirror_of(Path(exception))).exists(), "it has a test: take it off the list"
    assert len(TESTED_ELSEWHERE[exception]) > 10


# --- the checker catches what it is for ----------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return 1",
        "async def f():\n    '''Doc.'''\n    await g()",
        "class A:\n    def f(self):\n        self.x = 1",
        "f = lambda: 1 + 1",
    ],
)
def test_logic_is_seen(text: str) -> None:
    assert has_logic(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X = 1",
        "class A(Protocol):\n    def f(self):\n        '''Doc.'''\n        ...",
        "import x",
    ],
)
def test_words_are_no_logic(text: str) -> None:
    assert not has_logic(text)


def test_paths_are_mirrored() -> None:
    assert mirror_of(Path("clusterf/model/table.py")) == Path("tests/unit/model/test_table.py")
    assert mirror_of(Path("plugins/clusterf_x/y.py")) == Path(
        "tests/unit/plugins/clusterf_x/test_y.py"
    )
