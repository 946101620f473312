"""Tries an executable: what a user would do first, and what only a frozen program gets wrong.

The plugins of ``drop_ins/`` are its hands inside: one of each role, one with forty modules, one
broken, one for a future API, and a package with the command ``trial`` that reports as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clusterf import __version__
from freeze import contents

DROP_INS = Path(__file__).with_name("drop_ins")
GOOD = (
    "trial_source.py",
    "trial_policy.py",
    "trial_output.py",
    "trial_modules.py",
    "trial_package",
)
BAD = ("trial_broken.py", "trial_future.py")
SAMPLE = Path(__file__).parents[2] / "clusterf.toml"

CONFIGURATION = """\
[clusterf]
managed = ["192.0.2.0/24"]
plugin_dirs = ["good"]
control = "control.sock"
state_dir = "state"

[sources.some]
type = "trial"
backends = 2

[[policies]]
type = "trial"
factor = 3

[outputs.file]
type = "trial"
path = "table"
"""

TABLE = """\
tcp 192.0.2.1:80 -> 198.51.100.1:80 weight 30
tcp 192.0.2.1:80 -> 198.51.100.2:80 weight 30
"""

UNTOUCHED = {"antigravity": "opens a browser", "this": "prints"}
"""Modules that must not be imported for a try, and why."""


class Fault(Exception):
    """Something is not as it should be."""


@dataclass(frozen=True)
class Trial:
    """An executable, and a folder with a configuration and the drop-ins."""

    executable: Path
    folder: Path

    @property
    def configuration(self) -> Path:
        """The configuration that uses the drop-ins."""
        return self.folder / "clusterf.toml"

    def run(self, *words: str, status: int = 0) -> str:
        """What the executable prints; a `Fault` if it ends otherwise than with this status."""
        done = subprocess.run(
            [str(self.executable), *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != status:
            raise Fault(f"{' '.join(words)}: {done.returncode} {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, report: str, *words: str) -> Any:
        """What the drop-in with the command reports."""
        told = self.run("trial", "-c", str(self.configuration), report, "--", *words)
        return json.loads(told)


def prepared(executable: Path, folder: Path) -> Trial:
    """Lay out a folder with drop-ins that only their owner can write to, as the loader demands."""
    for kind, names in (("good", GOOD), ("bad", BAD)):
        for name in names:
            _copy(DROP_INS / name, folder / kind / name)
    (folder / "clusterf.toml").write_text(CONFIGURATION, "utf-8")
    both = CONFIGURATION.replace('["good"]', '["good", "bad"]')
    (folder / "both.toml").write_text(both, "utf-8")
    return Trial(executable, folder)


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.glob("*.py")) if source.is_dir() else [source]:
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        copied.write_bytes(path.read_bytes())
        copied.chmod(0o644)


def of(executable: Path) -> Iterator[tuple[str, str | None]]:
    """Try everything: what was tried, and what was wrong or None."""
    with tempfile.TemporaryDirectory() as folder:
        trial = prepared(executable, Path(folder))
        for one in TRIALS:
            try:
                one(trial)
            except (Fault, AssertionError, OSError, ValueError) as error:
                yield one.__name__, f"{type(error).__name__}: {error}"
            else:
                yield one.__name__, None


# --- trials --------------------------------------------------------------------------------------


def version(trial: Trial) -> None:
    """It starts."""
    expect(trial.run("--version"), f"clusterf {__version__}\n")


def sample(trial: Trial) -> None:
    """The bundled plugins are there, with their settings."""
    trial.run("check", "--offline", "-c", str(SAMPLE))


def drop_ins(trial: Trial) -> None:
    """The good drop-ins are loaded, the others are told with the reason."""
    listed = trial.run("plugins", "-c", str(trial.folder / "both.toml"), status=78)
    words = " ".join(listed.split())
    for wanted in ("SQLite", "flask", "9.0", "source trial", "policy trial", "output trial"):
        if wanted not in words:
            raise Fault(f"plugins: no {wanted!r} in {listed}")
    if (trial.folder / "bad" / "it-was-run").exists():
        raise Fault("plugins: a drop-in for a future API was run")


def run_once(trial: Trial) -> None:
    """A drop-in source, policy and output work together."""
    trial.run("run", "--once", "-c", str(trial.configuration))
    expect((trial.folder / "table").read_text("utf-8"), TABLE)


def modules(trial: Trial) -> None:
    """Whatever this Python can import of what drop-ins were promised, the executable can."""
    promised = [*contents.standard_library(), *contents.promised()]
    names = tuple(name for name in promised if name not in UNTOUCHED)
    (trial.folder / "modules").write_text("\n".join(names), "utf-8")
    seen = trial.ask("imports", "modules")
    expected = importable_nowhere(names)
    expect({name: why for name, why in seen["faults"].items() if name not in expected}, {})
    expect(seen["imported"] + len(seen["faults"]), len(names))


def metadata(trial: Trial) -> None:
    """Versions of libraries can be asked for, as many libraries do themselves."""
    versions = {one.name: one.version for one in contents.inside()}
    expect(trial.ask("metadata", *versions), versions)


def children(trial: Trial) -> None:
    """Programs that a plugin starts see the user's environment."""
    environment = trial.ask("process")["environment"]
    expect([name for name in environment if name.startswith(("LD_", "_PYI_"))], [])


TRIALS = (version, sample, drop_ins, run_once, modules, metadata, children)


def expect(found: object, wanted: object) -> None:
    """Raise a `Fault` unless they are equal."""
    if found != wanted:
        raise Fault(f"{found!r} instead of {wanted!r}")


@cache
def importable_nowhere(names: tuple[str, ...]) -> Mapping[str, str]:
    """Which modules the Python that we run on cannot import either, without what is foreign."""
    program = """import json, sys
sys.path.insert(0, sys.argv[1])
sys.modules.update(dict.fromkeys(sys.argv[3].split()))
from trial_package.report import imports
print(json.dumps(imports(sys.argv[2])["faults"]))"""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as listed:
        listed.write("\n".join(names))
        listed.flush()
        absent = " ".join([*contents.foreign(), *contents.UNUSED, *contents.LEFT_OUT])
        done = subprocess.run(
            [sys.executable, "-c", program, str(DROP_INS), listed.name, absent],
            capture_output=True,
            text=True,
            check=True,
        )
    failed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return failed
