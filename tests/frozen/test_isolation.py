"""It has its own Python: nothing of the host's, of the caller's or of the current directory."""

from __future__ import annotations

import site
from pathlib import Path

import pytest

from clusterf import __version__
from freeze import trial
from tests.frozen.executables import ONE_FILE, Executable

TRAP = "raise SystemExit('imported from outside')"
NAMES = ("argparse", "json", "pydantic", "trio", "clusterf", "sitecustomize", "usercustomize")


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A folder of modules that must not be imported."""
    folder = tmp_path / "traps"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(TRAP)
    return folder


def works(executable: Executable, cwd: Path, **env: str) -> None:
    done = executable.run("plugins", env=env, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    assert "bundled" in done.stdout


def test_the_traps_are_traps(traps: Path) -> None:
    import os  # noqa: PLC0415 - for the interpreter's sake
    import subprocess  # noqa: PLC0415 - same
    import sys  # noqa: PLC0415 - same

    done = subprocess.run(
        [sys.executable, "-c", "import json"],
        env={**os.environ, "PYTHONPATH": str(traps)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "imported from outside" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PYTHONPATH", "{traps}"),
        ("PYTHONHOME", "{traps}"),
        ("PYTHONPLATLIBDIR", "{traps}"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONINSPECT", "1"),
        ("PYTHONVERBOSE", "1"),
        ("PYTHONDEVMODE", "1"),
        ("PYTHONPROFILEIMPORTTIME", "1"),
        ("PYTHONIOENCODING", "utf-16"),
        ("PYTHONHASHSEED", "nonsense"),
        ("PYTHONMALLOC", "nonsense"),
        ("PYTHONBREAKPOINT", "argparse.trap"),
        ("PYTHONOPTIMIZE", "2"),
    ],
)
def test_it_ignores_pythons_variables(
    executable: Executable, traps: Path, tmp_path: Path, variable: str, value: str
) -> None:
    done = executable.run("--version", env={variable: value.format(traps=traps)}, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"clusterf {__version__}\n", "")


def test_it_ignores_the_current_directory(executable: Executable, traps: Path) -> None:
    works(executable, traps)


def test_it_ignores_modules_beside_it(traps: Path, tmp_path: Path) -> None:
    copied = traps / "clusterf"
    copied.write_bytes(ONE_FILE.path.read_bytes())
    copied.chmod(0o755)
    works(Executable("copied", copied), tmp_path)


def test_it_ignores_the_users_site_packages(
    executable: Executable, traps: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    packages = home / Path(site.getusersitepackages()).relative_to(Path.home())
    packages.parent.mkdir(parents=True)
    traps.rename(packages)
    works(executable, tmp_path, HOME=str(home), PYTHONUSERBASE=str(home / ".local"))


def test_it_looks_for_modules_in_itself_alone(executable: Executable, tmp_path: Path) -> None:
    process = trial.prepared(executable.path, tmp_path).ask("process")
    assert process["path"]
    assert all(place.startswith(process["unpacked"]) for place in process["path"])
    assert process["flags"] == {"isolated": 1, "utf8_mode": 1}


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1", "nonsense"])
def test_every_locale_will_do(executable: Executable, tmp_path: Path, locale: str) -> None:
    (tmp_path / "clusterf.toml").write_text("# größer\n[clusterf]\nmanagéd = 1\n", "utf-8")
    done = executable.run(
        "check",
        "--offline",
        cwd=tmp_path,
        env={"LC_ALL": locale, "CLUSTERF_CONFIG": "clusterf.toml"},
    )
    assert done.returncode == 78
    assert "managéd" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# --- what children see ---------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "/usr/lib/users-own"])
def test_children_have_the_users_environment(
    executable: Executable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    if given:
        monkeypatch.setenv("LD_LIBRARY_PATH", given)
    monkeypatch.setenv("KEPT", "as it is")
    seen = trial.prepared(executable.path, tmp_path).ask("child", "/usr/bin/env")
    variables = dict(line.split("=", 1) for line in seen["printed"].splitlines() if "=" in line)
    assert variables["KEPT"] == "as it is"
    assert variables.get("LD_LIBRARY_PATH") == given
    assert not [name for name in variables if name.startswith(("_PYI", "_MEI", "CLUSTERF_"))]


def test_children_that_are_clusterf_are_on_their_own(
    executable: Executable, tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(room))
    laid_out = trial.prepared(executable.path, tmp_path)
    words = [str(executable.path), "trial", "-c", str(laid_out.configuration), "process"]
    inner = laid_out.ask("child", *words)
    assert inner["status"] == 0, inner["errors"]
    assert list(room.iterdir()) == []
