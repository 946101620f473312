"""The image under test, built by a private Docker Engine on a base that is made of the bare root.

No registry is asked: the bare root stands for Debian's slim image, made of the same packages.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from clusterf import __version__
from tests.frozen import bare
from tests.frozen.executables import ROOT
from tests.lab.engine import Engine

BASE = "bare:latest"
IMAGE = "clusterf:latest"
BUILD = ROOT / "packaging" / "container" / "build"

SPARED = (
    *("./boot", "./dev", "./proc", "./sys", "./usr/share", "./var/cache", "./var/lib"),
    *("./usr/lib/apt", "./usr/lib/locale", "./usr/lib/x86_64-linux-gnu/gconv"),
    *("./usr/lib/x86_64-linux-gnu/perl-base", "./usr/lib/x86_64-linux-gnu/security"),
)
"""What clusterf and a shell do without; it makes the base half as large."""


def build(engine: Engine) -> None:
    """Make base and image, by the command of ``make image``."""
    with subprocess.Popen(
        ["tar", "-C", bare.made(), *(f"--exclude={path}/*" for path in SPARED), "-c", "."],
        stdout=subprocess.PIPE,
    ) as tar:
        engine.client.api.import_image_from_data(tar.stdout, repository="bare", tag="plain")
    engine.client.images.build(fileobj=_with_setcap(), custom_context=True, tag=BASE)
    done = docker(engine, BUILD, "--build-arg", f"BASE={BASE}")
    assert f"Successfully tagged clusterf:{__version__}" in done.stdout, done.stdout + done.stderr


def docker(engine: Engine, *argv: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program that talks to the engine, to its end; it builds as every engine can."""
    return subprocess.run(
        argv,
        env={**os.environ, "DOCKER_HOST": engine.socket, "DOCKER_BUILDKIT": "0", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _with_setcap() -> io.BytesIO:
    """The context of an image that has setcap, which the Dockerfile else fetches from Debian."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(shutil.which("setcap") or "setcap is not installed", "setcap")
        text = b"FROM bare:plain\nCOPY setcap /usr/sbin/setcap\n"
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    context.seek(0)
    return context
