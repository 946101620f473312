from __future__ import annotations

import json

import pytest

from tests.strategies import entry, tcp
from tests.unit.control.scene import API, AWAY, KERNEL, WEB, Scene

Shown = pytest.CaptureFixture[str]


def test_what_would_be_done_is_printed_with_its_reasons_and_not_done(
    scene: Scene, capsys: Shown
) -> None:
    assert scene.cli("plan") == 2
    shown = capsys.readouterr()
    *lines, last = shown.out.splitlines()
    assert [line.partition("  # ")[0] for line in lines] == [
        "outputs.kernel: -A -t 192.0.2.1:80 -s wrr",
        "outputs.kernel: -a -t 192.0.2.1:80 -r 198.51.100.1:8080 -m -w 4",
        "outputs.kernel: -a -t 192.0.2.1:80 -r 198.51.100.2:8080 -m -w 4",
    ]
    assert all(line.partition("  # ")[2].startswith("services ") for line in lines)
    assert (last, shown.err) == ("3 operations", "")
    assert scene.kernel.writes == []
    assert scene.kernel.services == {}


def test_nothing_to_do(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("run", "--once") == 0
    capsys.readouterr()
    writes = list(scene.kernel.writes)
    assert scene.cli("plan") == 0
    assert capsys.readouterr().out == "nothing to do\n"
    assert scene.kernel.writes == writes


def test_json_has_all_that_the_text_has(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB, API.replace("192.0.2.2", "203.0.113.1"), AWAY, KERNEL)
    scene.kernel.services = {tcp("192.0.2.9"): entry(1)}
    assert scene.cli("plan") == 2
    text = capsys.readouterr()
    assert scene.cli("plan", "--format", "json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"hold", "operations", "held", "refusals"}
    lines = [
        f"{one['output']}: {one['operation']}  # {one['reason']}" for one in found["operations"]
    ]
    assert text.out.splitlines() == [
        *lines,
        f"outputs.kernel: leaves 1 entry alone: {found['hold']}",
        f"{len(lines)} operations",
    ]
    assert {one["entry"] for one in found["operations"]} == {"tcp 192.0.2.1:80"}
    [held] = found["held"]
    assert (held["output"], held["entry"]) == ("outputs.kernel", "tcp 192.0.2.9:80")
    assert held["reason"] == found["hold"]
    [refusal] = found["refusals"]
    assert "is not managed" in refusal
    assert f"refused: {refusal}\n" in text.err
    assert f"incomplete: {found['hold']}; nothing would be removed\n" in text.err


def test_a_hold_with_nothing_to_do_is_75(scene: Scene, capsys: Shown) -> None:
    """A source that did not speak: what is there may be right or wrong."""
    assert scene.cli("run", "--once") == 0
    scene.kernel.services[tcp("192.0.2.9")] = entry(1)
    scene.write(WEB, AWAY, KERNEL)
    capsys.readouterr()
    assert scene.cli("plan") == 75
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "nothing to do"
    assert "outputs.kernel: leaves 1 entry alone: " in shown.out
    assert "incomplete: " in shown.err
    assert "sources.hosts" in shown.err


def test_a_foreign_entry_is_not_even_counted(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("run", "--once") == 0
    scene.kernel.services[tcp("203.0.113.1")] = entry(1)
    capsys.readouterr()
    assert scene.cli("plan", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "hold": None,
        "operations": [],
        "held": [],
        "refusals": [],
    }


def test_a_removal_says_why(scene: Scene, capsys: Shown) -> None:
    assert scene.cli("run", "--once") == 0
    scene.write(API, KERNEL)
    capsys.readouterr()
    assert scene.cli("plan") == 2
    lines = capsys.readouterr().out.splitlines()
    assert any("-e -t 192.0.2.1:80" in line and "left the service" in line for line in lines)


def test_warnings_are_told_and_stop_nothing(scene: Scene, capsys: Shown) -> None:
    scene.write(WEB)
    assert scene.cli("plan") == 0
    shown = capsys.readouterr()
    assert "warning configuration: " in shown.err
    assert "there is no output" in shown.err
