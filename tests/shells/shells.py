"""bash, zsh and fish as people use them: on a terminal, with a key pressed behind half a line."""

from __future__ import annotations

import os
import pty
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, Self

KEY = b"\x18\x01"
"""Control-X Control-A: put all completions on the line."""
DONE = b"\x18\x02"
"""Control-X Control-B: write the line to the fifo, and empty it."""

BASH = r"""
PS1=
source {script}
bind 'set bell-style none'
bind '"\C-x\C-a": insert-completions'
tell() {{ printf '%s\n' "$READLINE_LINE" > {told}; READLINE_LINE=; }}
bind -x '"\C-x\C-b": tell'
printf 'ready\n' > {told}
"""

ZSH = r"""
PS1= ; unsetopt beep prompt_sp zle_bracketed_paste 2> /dev/null
unset zle_bracketed_paste
fpath=({functions} $fpath)
autoload -Uz compinit && compinit -u -d {functions}/dump
zstyle ':completion:*' menu no
every() {{ compstate[insert]=all; compstate[list]= }}
one() {{ comppostfuncs=(every); _main_complete }}
zle -C one complete-word one
tell() {{ printf '%s\n' "$BUFFER" > {told}; BUFFER= }}
zle -N tell
bindkey '^X^A' one
bindkey '^X^B' tell
printf 'ready\n' > {told}
"""


class Shell(Protocol):
    """One that completes."""

    def complete(self, line: str) -> list[str]:
        """All that can stand in place of the last word of the line."""
        ...


class Terminal:
    """A shell that somebody types to."""

    def __init__(self, argv: list[str], setup: str, folder: Path, env: Mapping[str, str]) -> None:
        self._told = folder / "told"
        os.mkfifo(self._told)
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "dumb", "COLUMNS": "200"},
            cwd=folder,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        (folder / "setup").write_text(setup.format(told=self._told, **_places(folder)), "utf-8")
        self._type(f"source {folder / 'setup'}\n".encode())
        self._hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        os.close(self._master)

    def complete(self, line: str) -> list[str]:
        """Press the key behind the line; what it begins with must have stayed as it was."""
        self._type(line.encode() + KEY + DONE)
        before = shlex.split(line)
        whole = shlex.split(self._hear())
        word = "" if line.endswith(" ") else before.pop()
        assert whole[: len(before)] == before, whole
        found = whole[len(before) :]
        if found == [word]:
            return []
        # Of several, readline puts those that follow without what stands before such a mark.
        there = word[: 1 + max(word.rfind(mark) for mark in "=:")]
        return [one if one.startswith(there) else there + one for one in found]

    def _type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def _hear(self) -> str:
        return self._told.read_text("utf-8")

    def _read(self) -> None:
        """What it shows is of no interest, but somebody has to take it."""
        try:
            while os.read(self._master, 65536):
                pass
        except OSError:
            return


class Fish:
    """It tells by itself what it would complete."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder, self._env = folder, env

    def complete(self, line: str) -> list[str]:
        program = f"source {_places(self._folder)['script']}; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            ["fish", "--no-config", "-c", program],
            env=dict(self._env),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        return [row.partition("\t")[0] for row in done.stdout.splitlines()]


def _places(folder: Path) -> dict[str, Path]:
    return {"script": folder / "script", "functions": folder / "functions"}


def started(name: str, script: str, folder: Path, stack: ExitStack, **env: str) -> Shell:
    """A shell that knows the completion script, and has clusterf in its path."""
    places = _places(folder)
    places["script"].write_text(script, "utf-8")
    places["functions"].mkdir()
    (places["functions"] / "_clusterf").write_text(script, "utf-8")
    executable = folder / "bin" / "clusterf"
    executable.parent.mkdir()
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} -m clusterf "$@"\n', "utf-8")
    executable.chmod(0o755)
    whole = {
        **os.environ,
        "HOME": str(folder),
        "PATH": f"{executable.parent}:{os.environ['PATH']}",
        **env,
    }
    starts: Mapping[str, Callable[[], Shell]] = {
        "bash": lambda: stack.enter_context(
            Terminal(["bash", "--norc", "--noprofile", "-i"], BASH, folder, whole)
        ),
        "zsh": lambda: stack.enter_context(Terminal(["zsh", "-f", "-i"], ZSH, folder, whole)),
        "fish": lambda: Fish(folder, whole),
    }
    return starts[name]()


def is_there(name: str) -> bool:
    return shutil.which(name) is not None
