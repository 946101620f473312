from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.engine.orders import Orders
from clusterf.model.errors import ClusterfError
from clusterf.pipeline.override import Drained

DRAINED = {Drained("web"): "drained by operator", Drained("api", "b1"): "bad disk"}


def test_without_a_file_there_are_no_orders(tmp_path: Path) -> None:
    assert Orders(tmp_path / "state").load() == {}


def test_orders_outlive_us(tmp_path: Path) -> None:
    Orders(tmp_path / "state").save(DRAINED)
    assert Orders(tmp_path / "state").load() == DRAINED
    Orders(tmp_path / "state").save({})
    assert Orders(tmp_path / "state").load() == {}


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    Orders(tmp_path).save(DRAINED)
    assert [path.name for path in tmp_path.iterdir()] == ["drained.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"null", b"7", b"[7]", b'{"a": 1}', b'[{"service": "web"}]', b"\xff", b'["x"]'],
)
def test_a_file_that_cannot_be_read_is_put_aside_and_told(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "drained.json").write_bytes(content)
    assert Orders(tmp_path).load() == {}
    assert "orders unreadable" in caplog.text
    assert (tmp_path / "drained.bad").read_bytes() == content
    assert not (tmp_path / "drained.json").exists()


def test_a_folder_in_its_place_is_put_aside_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "drained.json").mkdir()
    assert Orders(tmp_path).load() == {}
    assert "orders unreadable" in caplog.text
    Orders(tmp_path).save(DRAINED)
    assert Orders(tmp_path).load() == DRAINED


def test_what_cannot_be_put_aside_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "drained.json").write_text("[")
    (tmp_path / "drained.bad").mkdir()
    assert Orders(tmp_path).load() == {}
    assert "orders stay in the way" in caplog.text


def test_a_state_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ClusterfError, match="state") as caught:
        Orders(tmp_path / "state").save(DRAINED)
    assert "the order holds" in caught.value.hint


def test_a_failed_write_leaves_the_old_orders(tmp_path: Path) -> None:
    Orders(tmp_path).save(DRAINED)
    (tmp_path / "drained.new").mkdir()
    with pytest.raises(ClusterfError):
        Orders(tmp_path).save({})
    assert Orders(tmp_path).load() == DRAINED
