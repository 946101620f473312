"""The Debian package under test, its next version, and a bare root that it is installed in."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.frozen import bare
from tests.frozen.executables import DIST, ROOT

NAME = "clusterf"
BUILD = ROOT / "packaging" / "debian" / "build"
WORK = ROOT / "build" / "debian"


def made() -> Path:
    """The package, made of the executable that there is unless it is younger than that."""
    inputs = [
        DIST / "clusterf.cdx.json",
        *BUILD.parent.rglob("*"),
        *ROOT.glob("packaging/systemd/*"),
    ]
    for package in DIST.glob(f"{NAME}_*.deb"):
        if package.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
            return package
    return build()


def build(**environment: str) -> Path:
    """Make it."""
    done = subprocess.run(
        [BUILD], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.strip()


def field(package: Path, name: str) -> str:
    """Of its control file."""
    return _told("dpkg-deb", "--field", package, name).strip()


def repacked(package: Path, version: str, into: Path, *, conffile: str | None = None) -> Path:
    """The same content as another version, and maybe with another configuration shipped."""
    tree = into / "tree"
    _told("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN" / "control"
    told = control.read_text("utf-8").replace(
        f"\nVersion: {field(package, 'Version')}\n", f"\nVersion: {version}\n"
    )
    control.write_text(told, "utf-8")
    if conffile is not None:
        (tree / "etc" / "clusterf" / "clusterf.toml").write_text(conffile, "utf-8")
    made = into / f"{NAME}_{version}.deb"
    _told("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, made)
    shutil.rmtree(tree)
    return made


def _told(*argv: str | Path) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Machine:
    """A bare root with a layer of its own over it: it keeps what is installed in it."""

    folder: Path

    @property
    def shown(self) -> Path:
        """The folder that it shows at `bare.PREPARED`."""
        return self.folder / "shown"

    def run(self, *argv: str, user: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a program in it, to its end."""
        return bare.run(argv, self.shown, user=user, layer=self.folder / "layer")

    def good(self, *argv: str, user: int = 0) -> str:
        """The same, and what it prints, both streams; it has to end well."""
        done = self.run(*argv, user=user)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self, package: Path) -> str:
        """With dpkg, which is left nobody to ask."""
        if not (self.shown / package.name).exists():
            shutil.copy(package, self.shown)
        return self.good("dpkg", "--install", f"{bare.PREPARED}/{package.name}")

    def read(self, path: str) -> str:
        return self.good("cat", path)

    def write(self, path: str, text: str) -> None:
        (self.shown / "text").write_text(text, "utf-8")
        self.good("cp", f"{bare.PREPARED}/text", path)

    def changed(self) -> Iterator[str]:
        """Paths of all that is not as in the bare root, relative to it, folders left out."""
        root, upper = bare.made(), self.folder / "layer" / "upper"
        for path in sorted(upper.rglob("*")):
            relative = path.relative_to(upper)
            before = root / relative
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                if not before.is_dir():
                    yield f"{relative}/"
            elif not (
                stat.S_ISREG(mode)
                and before.is_file()
                and path.read_bytes() == before.read_bytes()
                and mode == before.stat().st_mode
            ):
                yield str(relative)

    def listing(self, *folders: str) -> dict[str, str]:
        """Mode and owner by path, of all below."""
        said = self.good("find", *folders, "-printf", "%p\\t%M %u %g\\n")
        return dict(line.split("\t") for line in said.splitlines())
