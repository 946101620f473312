"""Both forms of the executable for every test here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frozen import executables
from tests.frozen.executables import FOLDER, ONE_FILE, Executable


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.frozen)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the executable before the first test, whose time it would be."""
    if not session.config.option.collectonly and any(map(_is_frozen, session.items)):
        executables.make()


def _is_frozen(item: pytest.Item) -> bool:
    return item.get_closest_marker("frozen") is not None


FORMS = (ONE_FILE, FOLDER)
in_both_forms = pytest.mark.parametrize("executable", FORMS, ids=lambda one: one.name)


@pytest.fixture(params=FORMS, ids=lambda one: one.name)
def executable(request: pytest.FixtureRequest) -> Executable:
    """Each form in its turn."""
    chosen: Executable = request.param
    return chosen


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder that is TMPDIR, for the one file to unpack to."""
    folder = tmp_path / "room"
    folder.mkdir()
    return folder
