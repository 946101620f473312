from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusterf.cli import doctor_cmd
from clusterf.cli.main import main
from tests.unit.control.scene import AWAY, KERNEL, WEB, Scene

LOOKS = """
from clusterf.plugin import Examination, Finding, Verdict, hookimpl

CLUSTERF_API = "1.0"

async def look(context):
    return [Finding(Verdict.{verdict}, "is as it is", "mend it")]

@hookimpl
def clusterf_doctor(configuration):
    return [Examination(name="odd", examine=look)]
"""
Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def only_the_drop_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this host lacks is not what is tested."""
    others = "clusterf_docker,clusterf_ipvs,clusterf_addresses"
    monkeypatch.setenv("CLUSTERF_DISABLE_PLUGINS", others)


def doctor(scene: Scene, verdict: str, *words: str) -> int:
    scene.drop_in("odd.py", LOOKS.format(verdict=verdict))
    return scene.cli("doctor", *words)


@pytest.mark.parametrize(
    ("verdict", "words", "code"),
    [
        ("OK", ["--strict"], 0),
        ("WARNING", [], 0),
        ("WARNING", ["--strict"], 69),
        ("ERROR", [], 69),
    ],
)
def test_status(verdict: str, words: list[str], code: int, scene: Scene) -> None:
    assert doctor(scene, verdict, *words) == code


def test_text(scene: Scene, capsys: Shown) -> None:
    assert doctor(scene, "ERROR") == 69
    assert capsys.readouterr().out == (
        f"clusterf\n  ok       configuration: {scene.file} is right\n"
        "odd\n  error    is as it is\n           hint: mend it\n\n1 error, 0 warnings\n"
    )


def test_json_says_the_same(scene: Scene, capsys: Shown) -> None:
    doctor(scene, "WARNING", "--format", "json")
    said = json.loads(capsys.readouterr().out)
    assert said["findings"][1] == {
        "of": "odd",
        "verdict": "warning",
        "message": "is as it is",
        "hint": "mend it",
    }
    assert (said["errors"], said["warnings"]) == (0, 1)


@pytest.mark.parametrize(
    ("parts", "line", "code"),
    [
        ([WEB, "[outputs.kernel]\ntype = 'modle'\n"], "error    configuration: ", 69),
        ([WEB], "warning  configuration: ", 0),
        ([WEB, KERNEL, AWAY], "ok       configuration: ", 0),
        (["nonsense"], "error    configuration: ", 69),
    ],
)
def test_a_configuration_at_fault_is_a_finding(
    parts: list[str], line: str, code: int, scene: Scene, capsys: Shown
) -> None:
    scene.write(*parts)
    assert scene.cli("doctor") == code
    out = capsys.readouterr().out
    assert f"  {line}{scene.file} " in out
    if "right" not in out:
        assert f"hint: clusterf check --offline -c {scene.file}\n" in out


def test_a_plugin_that_is_not_there_is_a_finding(scene: Scene, capsys: Shown) -> None:
    odd = scene.drop_in("odd.py", "nonsense(")
    assert scene.cli("doctor") == 69
    assert f"  error    {odd}: plugin not loaded: " in capsys.readouterr().out


def test_a_host_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    usual = str(tmp_path / "clusterf.toml")
    monkeypatch.setattr(doctor_cmd, "CONFIGURATION", usual)
    assert main(["doctor", "-c", usual]) == 0
    assert f"ok       configuration: there is no {usual} yet" in capsys.readouterr().out
    assert main(["doctor", "-c", str(tmp_path / "other.toml")]) == 69


def test_with_all_plugins(monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    """Whatever this host has: nothing fails, and the capability is told."""
    monkeypatch.delenv("CLUSTERF_DISABLE_PLUGINS")
    assert main(["doctor", "-c", str(Path(__file__).parents[3] / "clusterf.toml")]) in {0, 69}
    out = capsys.readouterr().out
    assert "this process may" in out
    assert "bug" not in out
    for name in ("ipvs", "network", "sources.local-docker", "outputs.kernel"):
        assert f"\n{name}\n" in out
