from __future__ import annotations

import pytest

from clusterf_etcd.commands.edits import Edit, batches, describe
from tests.unit.plugins.clusterf_etcd.commands.given import entry

SEEN = entry("services/web/frontend", '{"tcp":80}')
KEY = SEEN.key


def text(edit: Edit) -> list[str]:
    return [line for line, _ in describe(edit)]


def test_before_and_after() -> None:
    assert text(Edit(KEY, SEEN, b'{"tcp":81}')) == [KEY, '  - {"tcp":80}', '  + {"tcp":81}']
    assert text(Edit(KEY, None, b"{}")) == [KEY, "  + {}"]
    assert text(Edit(KEY, SEEN, None)) == [KEY, '  - {"tcp":80}']
    assert text(Edit(KEY, SEEN, SEEN.value)) == [KEY, '  = {"tcp":80}']
    assert text(Edit(KEY, entry("x", b"\x1b[31m"), None))[1] == r"  - \x1b[31m"


@pytest.mark.parametrize(
    ("seen", "value", "changes"),
    [
        (None, None, False),
        (None, b"", True),
        (SEEN, None, True),
        (SEEN, b"", True),
        (SEEN, b'{"tcp":80}', False),
    ],
)
def test_whether_there_is_anything_to_do(seen: object, value: bytes | None, changes: bool) -> None:  # noqa: FBT001 - a column
    assert Edit(KEY, SEEN if seen else None, value).changes is changes


def test_whose_a_key_is() -> None:
    leased = entry("x", '{"agent":"host1"}', lease=5)
    assert (Edit(KEY, leased, None).leased, Edit(KEY, leased, None).owner) == (True, "agent host1")
    assert not Edit(KEY, SEEN, None).leased
    assert not Edit(KEY, None, b"").leased
    assert Edit(KEY, SEEN, None).owner == "somebody who does not say who"


def puts(*sizes: int) -> list[Edit]:
    return [Edit(f"/{number}", None, bytes(size)) for number, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("edits", "sizes"),
    [
        (puts(), []),
        (puts(1), [1]),
        (puts(*[1] * 100), [100]),
        (puts(*[1] * 101), [100, 1]),
        (puts(*[1] * 250), [100, 100, 50]),
        (puts(*[65536] * 17), [8, 8, 1]),
        (puts(2**20, 1, 2**20), [1, 1, 1]),
        ([Edit(f"/{number}", SEEN, None) for number in range(150)], [100, 50]),
    ],
)
def test_portions_are_what_etcd_takes_at_once(edits: list[Edit], sizes: list[int]) -> None:
    found = list(batches(edits))
    assert [len(batch) for batch in found] == sizes
    assert [edit for batch in found for edit in batch] == edits
