"""``python -m manual``: write the man pages and completion scripts, as they lie in /usr/share.

They go to ``build/share`` (or ``--into``), which is emptied before.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from clusterf import __version__
from clusterf.cli.completing import script
from clusterf.cli.foreign import add_whole
from clusterf.cli.main import SHELLS, parsers
from clusterf.plugin.loader import load_plugins
from clusterf.plugin.registry import Registry
from manual import commands, configuration, markdown, roff

PAGES = Path(__file__).parent / "pages"
ROOT = Path(__file__).parents[2]

PLACES = {
    "bash": "bash-completion/completions/clusterf",
    "zsh": "zsh/vendor-completions/_clusterf",
    "fish": "fish/vendor_completions.d/clusterf.fish",
}
"""Where shells look for the scripts of packages, below /usr/share of Debian."""


def main() -> int:
    """Write all of it."""
    parser = argparse.ArgumentParser(prog="python -m manual", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("build/share"), metavar="FOLDER")
    into: Path = parser.parse_args().into
    # What is in the environment of who builds is in no page.
    os.environ.pop("CLUSTERF_CONFIG", None)
    os.environ.pop("CLUSTERF_DISABLE_PLUGINS", None)
    shutil.rmtree(into, ignore_errors=True)
    for name, text in share():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path)
    return 0


def share() -> Iterator[tuple[str, str]]:
    """Every file with its place and its text."""
    registry = load_plugins()
    for path in sorted(PAGES.glob("*.md")):
        name, section = path.stem.rsplit(".", 1)
        yield f"man/man{section}/{path.stem}", page(name, int(section), registry)
    for shell in SHELLS:
        yield PLACES[shell], script(shell, whole(registry))


def page(name: str, section: int, registry: Registry) -> str:
    """One man page."""
    text = (PAGES / f"{name}.{section}.md").read_text("utf-8")
    made: Mapping[str, list[str]] = {
        **commands.parts(whole(registry)),
        **configuration.parts(registry, ROOT),
        "docs/plugins.md": [
            *roff.heading("DESCRIPTION"),
            *markdown.lines((ROOT / "docs" / "plugins.md").read_text("utf-8")),
        ],
    }
    head = roff.title(name, section, date=date(), version=__version__)
    return roff.whole([head, *markdown.lines(text, made)])


def whole(registry: Registry) -> argparse.ArgumentParser:
    """The command line with the commands of all plugins.

    Raises:
        PluginLoadError: one of them cannot make its own.
    """
    top, core = parsers()
    for error in add_whole(core, registry):
        raise error
    return top


def date() -> str:
    """That of this version in the changelog; nothing as long as it is not released."""
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", changes, re.MULTILINE)
    return found[1] if found else ""


if __name__ == "__main__":
    sys.exit(main())
